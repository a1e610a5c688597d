"""Names of the formats that files are recognised as."""

from collections.abc import Mapping

from rerank.wording.language import later

FORMAT_NAMES: Mapping[str, str] = {
    "workbook": later("Excel workbook"),
    "parquet": later("Parquet"),
    "quepid_book": later("Quepid book (JSON)"),
    "opensearch_judgments": later("OpenSearch judgments (JSON)"),
    "rank_eval": later("Elasticsearch ranking evaluation"),
    "json_nested": later("JSON: query, document, number"),
    "json_records": later("JSON: list of records"),
    "jsonl": later("JSON lines"),
    "trec_topics": later("TREC topics"),
    "ranklib": later("RankLib judgments"),
    "trec_run": later("TREC run"),
    "trec_qrels": later("TREC judgments"),
    "delimited": later("table (CSV, TSV, …)"),
    "ubi_queries": later("OpenSearch UBI queries"),
    "ubi_events": later("OpenSearch UBI events"),
    "cohere": later("Cohere fine-tuning file"),
    "orderings": later("a teacher's orderings"),
    "labeled_list": later("labelled lists (sentence-transformers)"),
    "raters_wide": later("several raters, a column each (Quepid book, Chorus)"),
    "click_log": later("click log"),
    "elastic_ltr": later("Elastic learning-to-rank judgments"),
    "top1000": later("MS MARCO top 1000"),
    "triples": later("MS MARCO triples"),
    "training_pairs": later("training pairs or triplets (sentence-transformers)"),
    "quepid_snapshot": later("Quepid snapshot"),
    "quepid_detailed": later("Quepid case export"),
    "beir_qrels": later("BEIR judgments"),
    "quepid_ratings": later("ratings by query text (Quepid, OpenSearch)"),
    "raters_long": later("several raters, a row each"),
    "beir_texts": later("BEIR texts"),
    "wands": later("WANDS labels"),
}

CONFIDENCE: Mapping[str, str] = {
    "high": later("sure"),
    "medium": later("probable: please check"),
    "low": later("a guess: please check"),
}
