"""How far a stage moved the model it started from."""

from pathlib import Path

from safetensors import safe_open


def relative_weight_change(before: Path, after: Path) -> float:
    """Return ||after - before|| / ||before|| over all weights that two model folders share (L2 norms)."""
    changed = 0.0
    size = 0.0
    with (
        safe_open(str(before / "model.safetensors"), framework="pt") as old,
        safe_open(str(after / "model.safetensors"), framework="pt") as new,
    ):
        for name in sorted(set(old.keys()) & set(new.keys())):
            was, now = old.get_tensor(name), new.get_tensor(name)
            if was.shape != now.shape or not was.is_floating_point():
                continue
            changed += float(((now.double() - was.double()) ** 2).sum())
            size += float((was.double() ** 2).sum())
    return (changed / size) ** 0.5 if size else 0.0
