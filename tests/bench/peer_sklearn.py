"""An estimator of scikit-learn with its defaults, on standardized features.

usage: peer_sklearn.py ESTIMATOR FILE.csv    prints {"read": seconds, "fit": seconds}
"""

import json
import sys
import time

import numpy as np
from sklearn import linear_model, pipeline, preprocessing

began = time.perf_counter()
table = np.loadtxt(sys.argv[2], delimiter=",", skiprows=1)
read = time.perf_counter()
estimator = getattr(linear_model, sys.argv[1])()
pipeline.make_pipeline(preprocessing.StandardScaler(), estimator).fit(table[:, :-1], table[:, -1])
print(json.dumps({"read": read - began, "fit": time.perf_counter() - read}))
