"""Commands that serve an exported model, ready to be copied: each system with what it needs and why it may not do."""

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rerank.wording.language import Say

# What each system's documentation lists as re-rankers that it runs.
TEI_TYPES = ("bert", "camembert", "roberta", "xlm-roberta", "modernbert")
VLLM_ARCHITECTURES = (
    "BertForSequenceClassification",
    "RobertaForSequenceClassification",
    "XLMRobertaForSequenceClassification",
)
ELAND_TYPES = ("bert", "distilbert", "electra", "mobilebert", "mpnet", "roberta", "xlm-roberta")
TEI_IMAGE = "ghcr.io/huggingface/text-embeddings-inference:cpu-1.9"
QUERY = "how do I reset my password"
DOCUMENTS = ("Open the settings and choose reset.", "Our office is closed on Sundays.")
QUERY_TOKENS = 64  # of Vespa's room for the query


@dataclass(frozen=True)
class ServingCommand:
    """One system: its name, what to know, and blocks of (language, code); no block where it does not run the model."""

    title: str
    notes: tuple[str, ...]
    blocks: tuple[tuple[str, str], ...]


def serving_commands(say: Say, record: Mapping[str, Any], folder: str | None = None) -> list[ServingCommand]:
    """Return the commands for an export's record (`export.json`).

    folder: where the model lies; None for commands that are run in its own folder.
    """
    return [
        _sentence_transformers(say, folder),
        _transformers(say, record, folder),
        _onnxruntime(say, record, folder),
        _tei(say, record, folder),
        _vllm(say, record, folder),
        _elasticsearch(say, record, folder),
        _opensearch(say, record, folder),
        _vespa(say, record),
    ]


def honesty(say: Say) -> str:
    """Return what was checked of the commands and what was not."""
    return say(
        "The Python commands are run by this program's own tests. Those of other systems follow their documentation and "
        "were not run here: check them against your version."
    )


def _shell(folder: str | None) -> str:
    return '"$PWD"' if folder is None else shlex.quote(folder)


def _texts() -> str:
    return f"query = {json.dumps(QUERY)}\ndocuments = {json.dumps(list(DOCUMENTS))}\n"


def _not_listed(say: Say, record: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        say(
            "This kind of model ({type}) is not among the re-rankers that its documentation lists.",
            type=record["model"]["type"],
        ),
    )


def _needs_onnx(say: Say) -> tuple[str, ...]:
    return (say("It needs the ONNX file: export again with ONNX."),)


def _sentence_transformers(say: Say, folder: str | None) -> ServingCommand:
    code = (
        "from sentence_transformers import CrossEncoder\n\n"
        f"{_texts()}"
        f'model = CrossEncoder({json.dumps(folder or ".")}, device="cpu")\n'
        "for hit in model.rank(query, documents):\n"
        '    print(hit["corpus_id"], hit["score"])\n'
    )
    notes = (say("Scores are raw logits; only their order within a query means anything."),)
    return ServingCommand("Python: sentence-transformers", notes, (("python", code),))


def _transformers(say: Say, record: Mapping[str, Any], folder: str | None) -> ServingCommand:
    del say
    code = (
        "import torch\n"
        "from transformers import AutoModelForSequenceClassification, AutoTokenizer\n\n"
        f"{_texts()}"
        f"folder = {json.dumps(folder or '.')}\n"
        "tokenizer = AutoTokenizer.from_pretrained(folder)\n"
        "model = AutoModelForSequenceClassification.from_pretrained(folder).eval()\n"
        "inputs = tokenizer(\n"
        "    [query] * len(documents), documents, padding=True, truncation=True,\n"
        f'    max_length={record["model"]["max_length"]}, return_tensors="pt",\n'
        ")\n"
        "with torch.no_grad():\n"
        "    print(model(**inputs).logits[:, 0].tolist())\n"
    )
    return ServingCommand("Python: transformers", (), (("python", code),))


def _onnxruntime(say: Say, record: Mapping[str, Any], folder: str | None) -> ServingCommand:
    title = "Python: onnxruntime"
    if record["onnx"] is None:
        return ServingCommand(title, _needs_onnx(say), ())
    place = folder or "."
    code = (
        "import onnxruntime\n"
        "from transformers import AutoTokenizer\n\n"
        f"{_texts()}"
        f"folder = {json.dumps(place)}\n"
        "tokenizer = AutoTokenizer.from_pretrained(folder)\n"
        f"session = onnxruntime.InferenceSession(folder + {json.dumps('/' + record['onnx']['file'])})\n"
        "inputs = tokenizer(\n"
        "    [query] * len(documents), documents, padding=True, truncation=True,\n"
        f'    max_length={record["model"]["max_length"]}, return_tensors="np",\n'
        ")\n"
        "names = [item.name for item in session.get_inputs()]\n"
        '(logits,) = session.run(["logits"], {name: inputs[name] for name in names})\n'
        "print(logits[:, 0].tolist())\n"
    )
    return ServingCommand(title, (), (("python", code),))


def _tei(say: Say, record: Mapping[str, Any], folder: str | None) -> ServingCommand:
    title = "Hugging Face Text Embeddings Inference (TEI)"
    if record["model"]["type"] not in TEI_TYPES:
        return ServingCommand(title, _not_listed(say, record), ())
    depth = max(32, int(record["kpi"]["depth"]))
    serve = (
        f"docker run -p 8080:80 -v {_shell(folder)}:/model:ro {TEI_IMAGE} \\\n"
        f"  --model-id /model --auto-truncate --max-client-batch-size {depth}\n"
    )
    body = json.dumps({"query": QUERY, "texts": list(DOCUMENTS), "raw_scores": True})
    ask = f"curl 127.0.0.1:8080/rerank -H 'Content-Type: application/json' -d '{body}'\n"
    notes = (
        say(
            "On a GPU: add “--gpus all” and take the image without “cpu-”. Pairs are cut at {n} tokens, which TEI reads "
            "from sentence_bert_config.json.",
            n=record["model"]["max_length"],
        ),
    )
    return ServingCommand(title, notes, (("bash", serve), ("bash", ask)))


def _vllm(say: Say, record: Mapping[str, Any], folder: str | None) -> ServingCommand:
    if record["model"]["architecture"] not in VLLM_ARCHITECTURES:
        return ServingCommand("vLLM", _not_listed(say, record), ())
    serve = f"vllm serve {_shell(folder)} --runner pooling --served-model-name reranker\n"
    body = json.dumps(
        {
            "model": "reranker",
            "query": QUERY,
            "documents": list(DOCUMENTS),
            "truncate_prompt_tokens": record["model"]["max_length"],
        }
    )
    ask = f"curl 127.0.0.1:8000/rerank -H 'Content-Type: application/json' -d '{body}'\n"
    return ServingCommand("vLLM", (), (("bash", serve), ("bash", ask)))


def _elasticsearch(say: Say, record: Mapping[str, Any], folder: str | None) -> ServingCommand:
    title = "Elasticsearch"
    if record["model"]["type"] not in ELAND_TYPES:
        return ServingCommand(title, _not_listed(say, record), ())
    load = (
        "python -m pip install 'eland[pytorch]'\n"
        'eland_import_hub_model --url "$ES_URL" --es-api-key "$ES_API_KEY" \\\n'
        f"  --hub-model-id {_shell(folder)} --es-model-id my-reranker --task-type text_similarity --start\n"
    )
    service = {
        "service": "elasticsearch",
        "service_settings": {"model_id": "my-reranker", "num_allocations": 1, "num_threads": 1},
    }
    search = {
        "retriever": {
            "text_similarity_reranker": {
                "retriever": {"standard": {"query": {"match": {"text": QUERY}}}},
                "field": "text",
                "inference_id": "my-rerank-endpoint",
                "inference_text": QUERY,
                "rank_window_size": record["kpi"]["depth"],
            }
        }
    }
    ask = (
        f"PUT _inference/rerank/my-rerank-endpoint\n{json.dumps(service, indent=2)}\n\n"
        f"POST my-index/_search\n{json.dumps(search, indent=2)}\n"
    )
    notes = (
        say(
            "eland brings its own transformers: use a Python environment of its own. “my-index” and “text” are your "
            "index and your field."
        ),
    )
    return ServingCommand(title, notes, (("bash", load), ("text", ask)))


def _opensearch(say: Say, record: Mapping[str, Any], folder: str | None) -> ServingCommand:
    title = "OpenSearch"
    if not record["model"]["pair"]["uses_types"]:
        note = say(
            "Its local models are handed token types, which this one does not take: serve it with TEI and connect "
            "OpenSearch to that."
        )
        return ServingCommand(title, (note,), ())
    if record["onnx"] is None:
        return ServingCommand(title, _needs_onnx(say), ())
    code = (
        "import hashlib\nimport json\nimport zipfile\nfrom pathlib import Path\n\n"
        "from opensearchpy import OpenSearch\n"
        "from opensearch_py_ml.ml_commons import MLCommonClient\n\n"
        f"folder = Path({json.dumps(folder or '.')})\n"
        'packed = Path("reranker.zip")\n'
        'with zipfile.ZipFile(packed, "w") as archive:\n'
        f'    archive.write(folder / {json.dumps(record["onnx"]["file"])}, "model.onnx")\n'
        '    archive.write(folder / "tokenizer.json", "tokenizer.json")\n'
        "config = {\n"
        '    "name": "reranker",\n'
        '    "version": "1.0.0",\n'
        '    "model_format": "ONNX",\n'
        '    "function_name": "TEXT_SIMILARITY",\n'
        '    "model_content_hash_value": hashlib.sha256(packed.read_bytes()).hexdigest(),\n'
        '    "model_config": {\n'
        f'        "model_type": {json.dumps(record["model"]["type"])},\n'
        '        "embedding_dimension": 1,\n'
        '        "framework_type": "huggingface_transformers",\n'
        '        "all_config": (folder / "config.json").read_text(encoding="utf-8"),\n'
        "    },\n"
        "}\n"
        'Path("reranker.json").write_text(json.dumps(config), encoding="utf-8")\n\n'
        'client = OpenSearch("http://localhost:9200")\n'
        'settings = {"persistent": {"plugins.ml_commons.only_run_on_ml_node": "false"}}\n'
        "client.cluster.put_settings(body=settings)\n"
        'model_id = MLCommonClient(client).register_model(str(packed), "reranker.json", deploy_model=True)\n'
        "processor = {\n"
        '    "rerank": {"ml_opensearch": {"model_id": model_id}, "context": {"document_fields": ["text"]}}\n'
        "}\n"
        "client.transport.perform_request(\n"
        '    "PUT", "/_search/pipeline/rerank", body={"response_processors": [processor]}\n'
        ")\n"
    )
    search = {
        "query": {"match": {"text": QUERY}},
        "size": record["kpi"]["depth"],
        "ext": {"rerank": {"query_context": {"query_text": QUERY}}},
    }
    ask = f"POST my-index/_search?search_pipeline=rerank\n{json.dumps(search, indent=2)}\n"
    install = "python -m pip install opensearch-py opensearch-py-ml\n"
    notes = (say("“my-index” and “text” are your index and your field."),)
    return ServingCommand(title, notes, (("bash", install), ("python", code), ("text", ask)))


def _vespa(say: Say, record: Mapping[str, Any]) -> ServingCommand:
    title = "Vespa"
    pair = record["model"]["pair"]
    if len(pair["head"]) != 1 or len(pair["middle"]) != 1 or pair["middle"] != pair["tail"]:
        note = say(
            "Vespa's own functions put pairs together in another way than this model's tokenizer: its scores would differ."
        )
        return ServingCommand(title, (note,), ())
    if record["onnx"] is None:
        return ServingCommand(title, _needs_onnx(say), ())
    most = int(record["model"]["max_length"])
    n_query = min(QUERY_TOKENS, (most - 3) // 4)
    n_document = most - 3 - n_query
    tokens = f"{most}, query(q_tokens), attribute(tokens)"
    ids = f"customTokenInputIds({pair['head'][0]}, {pair['tail'][0]}, {tokens})"
    types = (
        "            input token_type_ids: my_types\n",
        f"        function my_types() {{ expression: tokenTypeIds({tokens}) }}\n",
    )
    inputs, function = types if pair["uses_types"] else ("", "")
    services = (
        '<component id="tokenizer" type="hugging-face-tokenizer">\n'
        '  <model path="models/tokenizer.json"/>\n'
        "  <special-tokens>false</special-tokens>\n"
        "</component>\n"
    )
    schema = (
        "schema doc {\n"
        "    document doc {\n"
        "        field text type string { indexing: index | summary }\n"
        "    }\n"
        f"    field tokens type tensor<float>(d0[{n_document}]) {{\n"
        "        indexing: input text | embed tokenizer | attribute\n"
        "    }\n"
        "    fieldset default { fields: text }\n"
        "    rank-profile reranked {\n"
        f"        inputs {{ query(q_tokens) tensor<float>(d0[{n_query}]) }}\n"
        "        onnx-model cross_encoder {\n"
        "            file: models/model.onnx\n"
        "            input input_ids: my_ids\n"
        "            input attention_mask: my_mask\n"
        f"{inputs}"
        "        }\n"
        f"        function my_ids() {{ expression: {ids} }}\n"
        f"        function my_mask() {{ expression: tokenAttentionMask({tokens}) }}\n"
        f"{function}"
        "        first-phase { expression: nativeRank(text) }\n"
        "        global-phase {\n"
        f"            rerank-count: {record['kpi']['depth']}\n"
        "            expression: onnx(cross_encoder){d0:0,d1:0}\n"
        "        }\n"
        "    }\n"
        "}\n"
    )
    ask = (
        "vespa query 'yql=select * from doc where userQuery()' \\\n"
        f"  'query={QUERY}' 'input.query(q_tokens)=embed(tokenizer, @query)' 'ranking=reranked'\n"
    )
    notes = (
        say(
            "Put model.onnx and tokenizer.json into the application's folder “models”; the first block belongs into the "
            "container of services.xml. A document's tokens are cut at {n}.",
            n=n_document,
        ),
    )
    return ServingCommand(title, notes, (("xml", services), ("text", schema), ("bash", ask)))
