"""What several test modules share: the browser, a server of the app with its own store, the published judgments."""

from __future__ import annotations

import gc
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

# Before numpy is loaded: threads of two workers wait for each other at every block, which costs ten times the work.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

ROOT = Path(__file__).parent.parent


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--whole", action="store_true", help="walk the whole of each product that is marked `every`")


def pytest_configure(config: pytest.Config) -> None:
    """Properties are tried on forty examples a run, other ones each time, where a test asks for no number of its own."""
    from hypothesis import settings

    settings.register_profile("sample", max_examples=40)
    if not config.getoption("--whole"):
        settings.load_profile("sample")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what `every` leaves out, but with --whole; `python -m benchmarks walks` runs it."""
    if config.getoption("--whole"):
        return
    kept = [item for item in items if _is_kept(item)]
    config.hook.pytest_deselected(items=[item for item in items if not _is_kept(item)])
    items[:] = kept


def _is_kept(item: pytest.Item) -> bool:
    mark = item.get_closest_marker("every")
    if mark is None:
        return True
    n, *names = mark.args
    indices: dict[str, int] = item.callspec.indices  # type: ignore[attr-defined]
    return in_sample(n, [indices[name] for name in names], **mark.kwargs)


def in_sample(n: int, indices: Sequence[int], shift: int = 0) -> bool:
    """Of a product too large for each run, the cells whose indices add up to a multiple of n: a Latin design.

    Each row meets every n-th column and each column every n-th row, always the same ones; another shift meets others.
    """
    return (sum(indices) + shift) % n == 0


def pytest_collection_finish() -> None:
    """What stays to the end is not looked through again: statsmodels collects garbage at each adjustment of p."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def own_main() -> Iterator[None]:
    """A page run within a test takes the place of the main module, which processes started later would then run."""
    main = sys.modules["__main__"]
    yield
    sys.modules["__main__"] = main


@pytest.fixture(scope="session")
def page_components() -> object:
    """What streamlit finds when it looks through all installed packages for components of pages."""
    from streamlit.components.v2.component_manager import BidiComponentManager

    found = BidiComponentManager()
    found.discover_and_register_components(start_file_watching=False)
    return found


@pytest.fixture(autouse=True)
def pages_run_plainly(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every AppTest would look for components anew, a tenth of a second, and go through all that its page has said a
    thousand times a second, to see whether it has ended."""
    if not hasattr(request.module, "AppTest"):
        return
    from streamlit.testing.v1 import app_test, local_script_runner

    found = request.getfixturevalue("page_components")
    monkeypatch.setattr(app_test, "BidiComponentManager", lambda: found)
    monkeypatch.setattr(found, "discover_and_register_components", lambda **_: None)

    def wait(runner: local_script_runner.LocalScriptRunner, timeout: float = 3) -> None:
        if runner._script_thread is not None:
            runner._script_thread.join(timeout)
        if not runner.script_stopped():
            runner.request_stop()
            runner.join()
            raise RuntimeError(f"the page did not end within {timeout} seconds")

    monkeypatch.setattr(local_script_runner, "require_widgets_deltas", wait)


@pytest.fixture(scope="session")
def browser() -> Iterator[object]:
    """A headless Chromium; without one browser tests are skipped, in CI they fail."""
    from playwright.sync_api import Error, sync_playwright

    from scripts.look import chromium

    with sync_playwright() as playwright:
        try:
            # A test looks at a page for seconds: to compile what it runs into faster code, and to clear little memory
            # often, takes a seventh of a browser's time and is never won back.
            found = chromium(playwright, "--js-flags=--no-opt --no-maglev --min-semi-space-size=32 --max-semi-space-size=64")
        except Error as error:
            how = "no browser: run `.venv/bin/playwright install chromium`, or install the package chromium"
            if os.environ.get("CI"):
                pytest.fail(f"{how}\n{error}")
            pytest.skip(how)
        yield found
        found.close()


def made_once(tmp_path_factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """The file `name` that the first worker to ask makes, for all workers of this run; to be copied, never written."""
    import portalocker

    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    home = folder / name
    with portalocker.Lock(folder / f"{name}.making", "w", timeout=600):
        if not home.is_dir():
            # What fails half-way is made anew by the next who asks.
            half = folder / f"{name}.half"
            shutil.rmtree(half, ignore_errors=True)
            half.mkdir()
            make(half / "jurylens.duckdb")
            half.rename(home)
    return home / "jurylens.duckdb"


@pytest.fixture(scope="session")
def first_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The store that the app makes at its first start, with the sample; to be copied."""
    import subprocess

    def start(db: Path) -> None:
        subprocess.run([sys.executable, "-m", "ui.first_run"], cwd=ROOT, env=os.environ | {"JURYLENS_DB": str(db)},
                       check=True, capture_output=True)  # fmt: skip

    return made_once(tmp_path_factory, "first", start)


@pytest.fixture(scope="session")
def store_with_all(first_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with the sample, its texts measured, and `awkward`, made by the app's own commands; to be copied."""
    from browser_app import cli_process, import_awkward

    def fill(db: Path) -> None:
        shutil.copy(first_store, db)
        cli_process(db, "factors", "extract", "--dataset", "sample")
        import_awkward(db)

    return made_once(tmp_path_factory, "with_all", fill)


@pytest.fixture(scope="session")
def paper_stores(tmp_path_factory: pytest.TempPathFactory) -> tuple[object, object, object]:
    """The same small judgments: in order; files swapped and rows shuffled; and half of these turned, too."""
    from papers import filled, rows, shuffled

    folder, all_rows = tmp_path_factory.mktemp("order"), rows()
    one, two = all_rows[: len(all_rows) // 2], all_rows[len(all_rows) // 2 :]
    return (
        filled(folder, [one, two], "first"),
        filled(folder, [shuffled(two, 1, False), shuffled(one, 2, False)], "second"),
        filled(folder, [shuffled(two, 3, True), shuffled(one, 4, True)], "third"),
    )


@pytest.fixture(scope="session")
def app(store_with_all: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[object]:
    """The app with a copy of that store, one server a worker."""
    from browser_app import start

    db = tmp_path_factory.mktemp("app") / "jurylens.duckdb"
    shutil.copy(store_with_all, db)
    server = start(db)
    yield server
    server.stop()


@pytest.fixture(scope="session")
def window(browser: object) -> Iterator[object]:
    """The page that a worker's tests are opened in: another one would load and compile the app's scripts anew."""
    # Nothing moves: what fades and spins while pages load takes a quarter of a browser's time.
    context = browser.new_context(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")  # type: ignore[attr-defined]
    yield context.new_page()
    context.close()


@pytest.fixture
def page(window: object) -> Iterator[object]:
    """An empty page of 1280 by 900, without anything that the test before has opened or stored."""
    context = window.context  # type: ignore[attr-defined]
    others = [each for each in context.pages if each != window]
    window.set_viewport_size({"width": 1280, "height": 900})  # type: ignore[attr-defined]
    window.set_default_timeout(30_000)  # type: ignore[attr-defined]
    yield window
    for each in context.pages:
        if each != window and each not in others:
            each.close()
    if window.url.startswith("http"):  # type: ignore[attr-defined]
        window.evaluate("() => { localStorage.clear(); sessionStorage.clear(); }")  # type: ignore[attr-defined]
    # The server is told that nobody looks any more.
    window.goto("about:blank")  # type: ignore[attr-defined]
    context.clear_cookies()


@pytest.fixture(scope="session")
def canvas(browser: object) -> Iterator[object]:
    """A page for figures, one a worker; see canvas.draw."""
    from canvas import blank

    found = browser.new_page(viewport={"width": 850, "height": 900})  # type: ignore[attr-defined]
    yield blank(found)
    found.close()


@pytest.fixture(scope="session")
def real() -> Path:
    """The folder of published judgments that may lie beside the project."""
    folder = ROOT.parent / "shared" / "real"
    if not folder.is_dir():
        pytest.skip("the published judgments are not beside the project (../shared/real)")
    return folder
