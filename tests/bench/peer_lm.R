# Least squares by R, with all columns told to be numbers, which makes reading faster.
#
# usage: Rscript peer_lm.R FILE.csv    prints {"read": seconds, "fit": seconds}
path <- commandArgs(trailingOnly = TRUE)[1]
read <- system.time(table <- read.csv(path, colClasses = "numeric"))[["elapsed"]]
fit <- system.time(lm(y ~ ., table))[["elapsed"]]
cat(sprintf('{"read": %.3f, "fit": %.3f}\n', read, fit))
