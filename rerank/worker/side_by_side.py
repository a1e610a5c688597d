"""Questions about several queries at the same time, with looks at the budget and at whether to stop."""

from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import TypeVar

from rerank.store.answers import spent_usd
from rerank.teacher.asking import Asker
from rerank.teacher.language_model import Task
from rerank.worker.workbench import Workbench

Word = TypeVar("Word")

LOOK_SECONDS = 0.5  # between looks at whether to stop


def side_by_side(
    bench: Workbench, asker: Asker, tasks: Sequence[Task], teach: Callable[[Task], Word]
) -> dict[str, Word]:
    """Ask about queries side by side, telling how far it is; a stop or a failure ends all of them."""
    said: dict[str, Word] = {}
    with ThreadPoolExecutor(bench.plan.llm.concurrency, thread_name_prefix="query") as pool:
        waiting: dict[Future[Word], Task] = {pool.submit(teach, task): task for task in tasks}
        try:
            while waiting:
                done, _ = wait(waiting, timeout=LOOK_SECONDS, return_when=FIRST_COMPLETED)
                for future in done:
                    said[waiting.pop(future).query_id] = future.result()
                bench.meter.teacher_usd = sum(spent_usd(bench.plan.digest))
                bench.reporter.progress(n_answers=asker.tally.n_answers)
                bench.meter.did()
                bench.meter.check_budget()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            asker.close()
            raise
    return said
