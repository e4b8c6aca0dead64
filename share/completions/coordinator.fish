# fish completion of coordinator(1)

complete -c coordinator -f
complete -c coordinator -n __fish_use_subcommand -a "campaign predict generate convert"
complete -c coordinator -s q -l quiet -d 'nothing on standard error but errors'
complete -c coordinator -s h -l help -d 'the options'
complete -c coordinator -l version -d 'the version'
complete -c coordinator -n 'not __fish_seen_subcommand_from predict generate convert' -s c -l config -r -F -d 'the configuration'
complete -c coordinator -n 'not __fish_seen_subcommand_from predict generate convert' -s s -l set -x -a '(string split " " "dataset.path dataset.format dataset.header dataset.delimiter dataset.target dataset.features dataset.missing workers training.optimizer training.learning_rate training.epochs training.tolerance training.standardize training.aggregation training.initial.w training.initial.b recovery.policy recovery.worker_timeout_s recovery.max_restarts recovery.restart_window_s recovery.backup_after recovery.replicas recovery.allow_degraded isolation.enabled isolation.max_memory_mb isolation.max_cpu_s checkpoint.path checkpoint.every_epochs faults chaos.seed chaos.rate chaos.kinds output.model output.events output.trace output.report output.faults")=' -d 'change one key'
complete -c coordinator -n 'not __fish_seen_subcommand_from predict generate convert' -l json -d 'print the result as JSON'
complete -c coordinator -n 'not __fish_seen_subcommand_from campaign predict generate convert' -l check -d 'check, print and stop'
complete -c coordinator -n 'not __fish_seen_subcommand_from campaign predict generate convert' -l resume -d 'go on from the last checkpoint'
complete -c coordinator -n 'not __fish_seen_subcommand_from campaign predict generate convert' -l progress -x -a 'auto workers bar lines' -d 'how to show it'
complete -c coordinator -n 'not __fish_seen_subcommand_from campaign predict generate convert' -l explain -d 'tell every system call'
complete -c coordinator -n 'not __fish_seen_subcommand_from campaign predict generate convert' -l bandwidth -d 'measure how fast rows can be read'
complete -c coordinator -n '__fish_seen_subcommand_from campaign' -s n -l runs -x -d 'so many schedules'
complete -c coordinator -n '__fish_seen_subcommand_from campaign generate' -l seed -x -d 'which ones'
complete -c coordinator -n '__fish_seen_subcommand_from campaign' -s j -l jobs -x -d 'so many at the same time'
complete -c coordinator -n '__fish_seen_subcommand_from campaign' -l failures -x -a '(__fish_complete_directories)' -d 'where files of failed runs go'
complete -c coordinator -n '__fish_seen_subcommand_from predict' -s m -l model -r -F -d 'the model'
complete -c coordinator -n '__fish_seen_subcommand_from predict' -s d -l data -r -F -d 'the rows'
complete -c coordinator -n '__fish_seen_subcommand_from predict generate' -s o -l output -r -F -d 'where it goes'
complete -c coordinator -n '__fish_seen_subcommand_from predict' -s w -l workers -x -d 'so many processes'
complete -c coordinator -n '__fish_seen_subcommand_from generate' -s r -l rows -x -d 'so many rows'
complete -c coordinator -n '__fish_seen_subcommand_from generate' -s f -l features -x -d 'so many features'
complete -c coordinator -n '__fish_seen_subcommand_from generate' -l noise -x -d 'its standard deviation'
complete -c coordinator -n '__fish_seen_subcommand_from convert' -F
