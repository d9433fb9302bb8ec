"""
The outside half of `npm run judge:statistics`. Run by main.ts, each part in an environment of its own: their packages want different versions of each other.

  judge.py rates|means|evidence|ends FILE   a list of cases as JSON; prints a list of what the judges say, one object a case
"""
import json
import math
import sys
import warnings

warnings.filterwarnings("ignore")


def rates(cases):
    import numpy as np
    from gbstats.frequentist.tests import FrequentistConfig, TwoSidedTTest
    from gbstats.models.statistics import ProportionStatistic
    from gbstats.utils import check_srm
    from scipy.stats import chi2_contingency
    from statsmodels.stats.multitest import multipletests
    from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint, proportions_ztest

    for case in cases:
        (na, xa), (nb, xb) = case["a"], case["b"]
        wilson = proportion_confint(xb, nb, method="wilson")
        # Of the first less the second, and of the first by the second.
        newcombe = confint_proportions_2indep(xb, nb, xa, na, method="newcomb", compare="diff")
        ratio = confint_proportions_2indep(xb, nb, xa, na, method="log", compare="ratio")
        z, p = proportions_ztest([xb, xa], [nb, na])
        chi2, chi2_p, _, _ = chi2_contingency([[xa, na - xa], [xb, nb - xb]], correction=False)
        lift = TwoSidedTTest(
            ProportionStatistic(n=na, sum=xa), ProportionStatistic(n=nb, sum=xb), FrequentistConfig(difference_type="relative")
        ).compute_result()
        adjusted = multipletests(case["p"], method="fdr_bh")[1]
        yield {
            "wilson low": wilson[0], "wilson high": wilson[1], "newcombe low": newcombe[0], "newcombe high": newcombe[1],
            "ratio low": ratio[0] - 1, "ratio high": ratio[1] - 1, "pooled z": z, "p of z": p, "chi squared": chi2, "p of chi squared": chi2_p,
            "largest adjusted p": float(np.max(adjusted)), "smallest adjusted p": float(np.min(adjusted)),
            "sample ratio p": check_srm([na, nb], [0.5, 0.5]), "gbstats lift low": lift.ci[0], "gbstats lift high": lift.ci[1],
        }


def means(cases):
    from gbstats.frequentist.tests import FrequentistConfig, SequentialConfig, SequentialTwoSidedTTest, TwoSidedTTest
    from gbstats.models.statistics import SampleMeanStatistic
    from statsmodels.stats.weightstats import CompareMeans, DescrStatsW

    for case in cases:
        a, b = case["a"], case["b"]
        compared = CompareMeans(DescrStatsW(b), DescrStatsW(a))
        t, p, degrees = compared.ttest_ind(usevar="unequal")
        low, high = compared.tconfint_diff(usevar="unequal")
        sums = [SampleMeanStatistic(n=len(x), sum=sum(x), sum_squares=sum(v * v for v in x)) for x in (a, b)]
        theirs = TwoSidedTTest(*sums, FrequentistConfig(difference_type="absolute")).compute_result()
        sequence = SequentialTwoSidedTTest(*sums, SequentialConfig(difference_type="absolute", sequential_tuning_parameter=5000))
        always = sequence.compute_result()
        yield {
            "t": t, "p": p, "degrees": degrees, "low": low, "high": high,
            "gbstats p": theirs.p_value, "gbstats low": theirs.ci[0], "gbstats high": theirs.ci[1],
            "gbstats sequence": (always.ci[1] - always.ci[0]) / 2, "gbstats tuning": sequence.rho,
        }


def evidence(cases):
    import numpy as np
    from savvi.multinomial import Multinomial

    for case in cases:
        test = Multinomial(0.05, np.array(case["shares"]), k=100)
        # A day at a time: what comes of it must not depend on how often anybody looks.
        for day in case["days"]:
            test.update(np.array(day))
        yield {"log evidence": float(np.log(test.odds))}


def ends(cases):
    import numpy as np
    from lifelines import AalenJohansenFitter, KaplanMeierFitter

    for case in cases:
        times, causes = np.array(case["times"]), np.array(case["causes"])
        fitted = AalenJohansenFitter(calculate_variance=True).fit(times, causes, event_of_interest=1)
        free = KaplanMeierFitter().fit(times, causes > 0)
        yield {
            "share": float(np.ravel(fitted.cumulative_density_)[-1]),
            "error": float(np.sqrt(np.ravel(fitted.variance_)[-1])),
            "free": float(np.ravel(free.survival_function_)[-1]),
        }


with open(sys.argv[2]) as file:
    judged = {"rates": rates, "means": means, "evidence": evidence, "ends": ends}[sys.argv[1]](json.load(file))
    print(json.dumps([{name: None if math.isnan(value) else float(value) for name, value in row.items()} for row in judged]))
