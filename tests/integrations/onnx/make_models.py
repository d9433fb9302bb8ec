"""The small models of the tests, made again by: pip install onnx==1.23.2 scikit-learn==1.9.1 skl2onnx==1.20.0 && python make_models.py

Their data are made up here: whoever did nothing for long, by their own rhythm, is lost more often.
"""

import json
from pathlib import Path

import numpy as np
from onnx import TensorProto, helper, save
from skl2onnx import to_onnx
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

here = Path(__file__).parent
features = 29  # domain/risk/own-model.ts, in that order
days_since_any, visits_in_30_days, own_rhythm = 1, 3, 23

rng = np.random.default_rng(20261130)
# What says nothing here is 0 for everybody, so that it has no weight.
known = np.zeros((2000, features), dtype=np.float32)
known[:, days_since_any] = rng.uniform(0, 90, 2000)
known[:, visits_in_30_days] = rng.poisson(3, 2000)
known[:, own_rhythm] = known[:, days_since_any] / rng.uniform(3, 40, 2000)
logit = 0.08 * (known[:, days_since_any] - 45) + 0.1 * (known[:, own_rhythm] - 2) - 0.3 * known[:, visits_in_30_days]
lost = rng.uniform(size=2000) < 1 / (1 + np.exp(-logit))
# Some of it is not known, as in a store.
given = np.where(rng.uniform(size=known.shape) < 0.1, np.nan, known).astype(np.float32)


def fitted(columns):
    pipeline = make_pipeline(SimpleImputer(strategy="median"), LogisticRegression(max_iter=2000))
    return pipeline.fit(given[:, :columns], lost)


def chances(rows):
    """What scikit-learn itself says."""
    return fitted(features).predict_proba(rows)[:, 1]


def classifier(columns, **options):
    pipeline = fitted(columns)
    if not options:
        options = {"zipmap": False}
    return to_onnx(pipeline, given[:1, :columns], options={id(pipeline): options}, target_opset=17)


def graph(nodes, inputs, outputs, constants=()):
    made = helper.make_graph(nodes, "model", inputs, outputs, constants)
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def column(name):
    return helper.make_tensor_value_info(name, TensorProto.DOUBLE, [None, 1])


save(classifier(features), here / "all-features.onnx")
rows = given[:20]
(here / "all-features.json").write_text(
    json.dumps({"rows": [[None if np.isnan(x) else float(x) for x in row] for row in rows], "lost": chances(rows).tolist()})
)
save(classifier(6), here / "six-columns.onnx")
save(classifier(features, zipmap=True), here / "list-of-maps.onnx")

# Two features and one event of the store's own, by their names: lost is whoever was away for 30 days, and has exported no report.
weights = helper.make_tensor("weights", TensorProto.DOUBLE, [3, 1], [0.1, 0.2, -1.5])
offset = helper.make_tensor("offset", TensorProto.DOUBLE, [1], [-3.0])
zero = helper.make_tensor("zero", TensorProto.DOUBLE, [1], [0.0])
named = ["daysSinceAny", "overdue", "own.report_exported"]
save(
    graph(
        [
            helper.make_node("Concat", named, ["all"], axis=1),
            helper.make_node("IsNaN", ["all"], ["unknown"]),
            helper.make_node("Where", ["unknown", "zero", "all"], ["known"]),
            helper.make_node("MatMul", ["known", "weights"], ["sum"]),
            helper.make_node("Add", ["sum", "offset"], ["logit"]),
            helper.make_node("Sigmoid", ["logit"], ["lost"]),
        ],
        [column(name) for name in named],
        [helper.make_tensor_value_info("lost", TensorProto.DOUBLE, [None, 1])],
        [weights, offset, zero],
    ),
    here / "named-inputs.onnx",
)

# One row at a time, and what it gives is no chance.
save(
    graph(
        [helper.make_node("ReduceSum", ["all", "axes"], ["score"], keepdims=1)],
        [helper.make_tensor_value_info("all", TensorProto.FLOAT, [1, features])],
        [helper.make_tensor_value_info("score", TensorProto.FLOAT, [1, 1])],
        [helper.make_tensor("axes", TensorProto.INT64, [1], [1])],
    ),
    here / "no-chance.onnx",
)
# A chance, one row at a time, which knows nothing where the time since the last visit is unknown.
save(
    graph(
        [
            helper.make_node("Gather", ["all", "which"], ["days"], axis=1),
            helper.make_node("Div", ["days", "most"], ["share"]),
            helper.make_node("Min", ["share", "one"], ["lost"]),
        ],
        [helper.make_tensor_value_info("all", TensorProto.FLOAT, [1, features])],
        [helper.make_tensor_value_info("lost", TensorProto.FLOAT, [1, 1])],
        [
            helper.make_tensor("which", TensorProto.INT64, [1], [days_since_any]),
            helper.make_tensor("most", TensorProto.FLOAT, [1], [90.0]),
            helper.make_tensor("one", TensorProto.FLOAT, [1], [1.0]),
        ],
    ),
    here / "one-row.onnx",
)

# Counts without an end before it answers.
body = helper.make_graph(
    [helper.make_node("Identity", ["go_on"], ["goes_on"]), helper.make_node("Abs", ["sum"], ["same"])],
    "again",
    [
        helper.make_tensor_value_info("turn", TensorProto.INT64, []),
        helper.make_tensor_value_info("go_on", TensorProto.BOOL, []),
        helper.make_tensor_value_info("sum", TensorProto.FLOAT, [None, 1]),
    ],
    [helper.make_tensor_value_info("goes_on", TensorProto.BOOL, []), helper.make_tensor_value_info("same", TensorProto.FLOAT, [None, 1])],
)
save(
    graph(
        [
            helper.make_node("ReduceSum", ["all", "axes"], ["score"], keepdims=1),
            helper.make_node("Loop", ["most", "yes", "score"], ["counted"], body=body),
        ],
        [helper.make_tensor_value_info("all", TensorProto.FLOAT, [None, features])],
        [helper.make_tensor_value_info("counted", TensorProto.FLOAT, [None, 1])],
        [
            helper.make_tensor("axes", TensorProto.INT64, [1], [1]),
            helper.make_tensor("most", TensorProto.INT64, [], [2**62]),
            helper.make_tensor("yes", TensorProto.BOOL, [], [True]),
        ],
    ),
    here / "endless.onnx",
)
