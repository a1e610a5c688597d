"""Names of strategies, verdicts, phases and measures as the reader sees them."""

from collections.abc import Mapping

from rerank.wording.language import Say, later

STRATEGIES: Mapping[str, str] = {
    "first-stage": later("First stage"),
    "embedding": later("Embedding"),
    "base": later("Base model"),
    "C": later("C"),
    "D": later("D"),
    "C-then-D": later("C→D"),
    "D-then-C": later("D→C"),
    "C-long": later("C, longer"),
    "D-long": later("D, longer"),
    "C+D": later("C and D together"),
    "embedding+fusion": later("Embedding + fusion"),
    "base+fusion": later("Base model + fusion"),
    "C+fusion": later("C + fusion"),
    "D+fusion": later("D + fusion"),
    "C-then-D+fusion": later("C→D + fusion"),
    "D-then-C+fusion": later("D→C + fusion"),
    "C-long+fusion": later("C, longer + fusion"),
    "D-long+fusion": later("D, longer + fusion"),
    "C+D+fusion": later("C and D together + fusion"),
}

STRATEGY_EXPLANATIONS: Mapping[str, str] = {
    "first-stage": later("The order that the search gives today: the reference."),
    "embedding": later("Order by the embedded encoder's similarity: free, nothing is trained."),
    "base": later("The base model as it is, without fine-tuning."),
    "C": later("Single stage, contrastive: learns from your judgments."),
    "D": later("Single stage, distillation: learns from a teacher's scores."),
    "C-then-D": later("Two stages: contrastive, then distillation."),
    "D-then-C": later("Two stages: distillation, then contrastive."),
    "C-long": later("Control: contrastive alone, with as many steps as two stages have."),
    "D-long": later("Control: distillation alone, with as many steps as two stages have."),
    "C+D": later("Control: judgments and teacher scores in one training, with as many steps as two stages have."),
    "embedding+fusion": later("Embedding and first stage mixed; free, weights from queries that are not tested."),
    "base+fusion": later("The base model's scores mixed with embedding and first stage."),
    "C+fusion": later("C's scores mixed with embedding and first stage."),
    "D+fusion": later("D's scores mixed with embedding and first stage."),
    "C-then-D+fusion": later("C→D's scores mixed with embedding and first stage."),
    "D-then-C+fusion": later("D→C's scores mixed with embedding and first stage."),
    "C-long+fusion": later("Its scores mixed with embedding and first stage."),
    "D-long+fusion": later("Its scores mixed with embedding and first stage."),
    "C+D+fusion": later("Its scores mixed with embedding and first stage."),
}

VERDICTS: Mapping[str, str] = {
    "not_comparable": later("Not comparable"),
    "identical": later("Identical"),
    "better": later("Better"),
    "worse": later("Worse"),
    "equivalent": later("Equivalent"),
    "not_worse": later("Not worse"),
    "inconclusive": later("Inconclusive"),
}

DECISION_NAMES: Mapping[str, str] = {
    "repair_data": later("repair the data"),
    "repair_first_stage": later("repair the first stage"),
    "adopt_free_baseline": later("use what costs no training"),
    "stop": later("stop"),
    "train_more_seeds": later("train with more seeds"),
    "collect_judgments": later("judge more queries"),
    "add_second_stage": later("add the second stage"),
    "repair_teacher": later("repair the teacher"),
    "adopt_single_stage": later("ship the single stage"),
}

VERDICT_SIGNS: Mapping[str, str] = {  # beside the word, never instead of it
    "not_comparable": "∅",
    "identical": "=",
    "better": "▲",
    "worse": "▼",
    "equivalent": "≈",
    "not_worse": "≥",
    "inconclusive": "?",
}

PHASES: Mapping[str, str] = {
    "queued": later("Waiting to start"),
    "starting": later("Starting"),
    "preparing": later("Loading the data"),
    "downloading": later("Downloading and reading the benchmark"),
    "reading": later("Reading and checking the files"),
    "storing": later("Storing the dataset"),
    "indexing": later("Indexing the documents"),
    "reading_documents": later("Comparing documents"),
    "candidates": later("Finding candidates"),
    "unlabelled": later("Finding candidates of unlabelled queries"),
    "teaching": later("Asking the teacher"),
    "loading_teacher": later("Loading the teacher's model"),
    "encoding": later("Comparing texts by their embeddings"),
    "auditing": later("Auditing the teacher"),
    "calibrating": later("Measuring this device's speed"),
    "training": later("Training the stages"),
    "ranking": later("Ranking the test queries"),
    "comparing": later("Comparing"),
    "exporting": later("Writing the model's files"),
    "checking": later("Measuring the exported files"),
    "done": later("Done"),
}

STATES: Mapping[str, str] = {
    "queued": later("waiting"),
    "running": later("running"),
    "done": later("done"),
    "failed": later("failed"),
    "stopped": later("stopped"),
    "lost": later("interrupted: its process is gone"),
}

FIRST_STAGES: Mapping[str, str] = {
    "bm25": later("BM25 (words)"),
    "embedding": later("Embedded encoder (meaning)"),
    "rrf": later("Both, fused by rank"),
    "run": later("Your own search's run"),
}

SEVERITIES: Mapping[str, str] = {
    "error": later("error"),
    "warning": later("warning"),
    "info": later("info"),
}

AUDIT_COLOURS: Mapping[str, str] = {
    "green": later("green"),
    "amber": later("amber"),
    "red": later("red"),
}


PRESET_NAMES: Mapping[str, str] = {
    "quick": later("Quick look: one training each, one test split"),
    "standard": later("For a decision: three trainings each, five folds"),
}

POOLS: Mapping[str, str] = {
    "corpus": later("A search over all documents"),
    "judged": later("Each query's judged documents"),
}

SPLITS: Mapping[str, str] = {
    "holdout": later("One held-out test set"),
    "kfold": later("Folds: every query is tested once"),
}

TEACHERS: Mapping[str, str] = {
    "embedding": later("The embedded encoder (free)"),
    "fusion": later("Encoder and first stage mixed (free)"),
    "uploaded": later("Your uploaded scores"),
    "cross-encoder": later("A larger re-ranker on this machine (device time)"),
    "causal-lm": later("A language model on this machine (device time)"),
    "llm-listwise": later("A language model that orders lists (paid)"),
    "llm-pointwise": later("A language model that grades documents (paid)"),
}

LISTWISE_MODES: Mapping[str, str] = {
    "windows": later("Windows of 20, from the last to the first"),
    "partitions": later("Top down: faster, a third fewer questions"),
    "single": later("All in one question"),
}

PROMPT_LANGUAGES: Mapping[str, str] = {
    "en": later("English"),
    "ja": later("Japanese"),
}

LOSSES: Mapping[str, str] = {
    "kl": later("KL: how the teacher's scores share out a list"),
    "margin_mse": later("MarginMSE: how far the teacher's scores lie apart"),
    "ranknet": later("RankNet: the teacher's order, pair by pair"),
    "adr_mse": later("ADR-MSE: the teacher's ranks, the top ones most"),
}

PASSAGES: Mapping[str, str] = {
    "first": later("Their beginning is read"),
    "max": later("In overlapping passages, the best one counts"),
}

UNLABELLED_SOURCES: Mapping[str, str] = {
    "both": later("Query log, then documents"),
    "log": later("Query log only"),
    "documents": later("Made from documents only"),
}

ATTRIBUTION_PARTS: Mapping[str, str] = {
    "steps": later("More training steps"),
    "signal": later("The other signal, too"),
    "order": later("One after the other instead of together"),
    "signal_and_order": later("The other signal, after the first"),
}


def name_of(say: Say, table: Mapping[str, str], code: str) -> str:
    """Return a code's name in the reader's language; an unknown code is shown as it is."""
    return say(table[code]) if code in table else code


def strategy_name(say: Say, code: str) -> str:
    """Return a strategy's name."""
    return name_of(say, STRATEGIES, code)
