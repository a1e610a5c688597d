"""Every reservation that a comparison can carry."""

NOT_COMPARABLE_REASONS = ("too_few_queries", "missing_scores", "different_candidates", "non_finite_scores")
SENSITIVITY_REASONS = (
    "naive_t_disagrees",
    "permutation_disagrees",
    "bca_disagrees",
    "wilcoxon_disagrees",
)
DEPENDS_ON_UNJUDGED = "depends_on_unjudged"
COMPARISON_REASONS = (
    *NOT_COMPARABLE_REASONS,
    "luck_unknown",
    "not_realistic",
    *SENSITIVITY_REASONS,
    DEPENDS_ON_UNJUDGED,
)
