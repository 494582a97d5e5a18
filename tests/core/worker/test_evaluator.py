"""Evaluators of every kind, most of them broken or hostile, run as real processes."""

import os
import socket
import sys
import tempfile
import textwrap
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from loreley.core.evaluation import Artifact, Metric
from loreley.core.worker.evaluator import Evaluator, EvaluatorOptions, Judgement
from loreley.core.worker.sandbox import Level, Sandbox, obstacle_to, probe
from loreley.deadline import Deadline, Stop
from loreley.errors import (
    ConfigError,
    EvaluationFailed,
    FailureKind,
    JobInterrupted,
    TimeLimitReached,
)
from tests.support import eventually

COMMIT = "c0ffee" + "0" * 34
MEBIBYTE = 1024 * 1024
ANSWER = '{"summary": "fine", "metrics": [{"name": "score", "value": 1.0}]}'


class Bench:
    """A worktree, a scratch folder and a place for evaluators."""

    def __init__(self, folder: Path, sandbox: Sandbox) -> None:
        self.folder = folder
        self.sandbox = sandbox
        self.worktree = self._new("worktree")
        self.scratch = self._new("scratch")
        self.plugins = self._new("plugins")
        (self.worktree / ".git").write_text("gitdir: /elsewhere")
        (self.worktree / "candidate.py").write_text("VALUE = 3\n")

    def _new(self, name: str) -> Path:
        path = self.folder / name
        path.mkdir()
        return path

    def plugin(self, code: str, **options: object) -> EvaluatorOptions:
        """A plugin whose function ``judge`` has the given body, or a module with it."""
        code = textwrap.dedent(code).strip()
        if "def judge" not in code:
            code = f"def judge(context):\n{textwrap.indent(code, '    ')}"
        (self.plugins / "judges.py").write_text(code)
        base = EvaluatorOptions(
            plugin="judges:judge", python_paths=(self.plugins,), timeout_seconds=30
        )
        return replace(base, **options)  # type: ignore[arg-type]

    def command(self, *words: str, **options: object) -> EvaluatorOptions:
        base = EvaluatorOptions(command=words, timeout_seconds=30)
        return replace(base, **options)  # type: ignore[arg-type]

    def shell(self, script: str) -> EvaluatorOptions:
        return self.command("sh", "-c", script)

    def judge(self, options: EvaluatorOptions, deadline: Deadline | None = None) -> Judgement:
        evaluator = Evaluator(options, self.sandbox)
        return evaluator.evaluate(self.worktree, COMMIT, self.scratch, deadline or Deadline())

    def failure(self, options: EvaluatorOptions) -> EvaluationFailed:
        with pytest.raises(EvaluationFailed) as caught:
            self.judge(options)
        assert caught.value.kind is FailureKind.EVALUATION
        return caught.value

    def reason(self, options: EvaluatorOptions) -> str:
        return self.failure(options).problems[0].reason


def sandbox_at(level: Level) -> Sandbox:
    sandbox = Sandbox(level, probe().tools)
    if obstacle := obstacle_to(sandbox):
        pytest.skip(str(obstacle))
    return sandbox


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path.resolve(), probe())


@pytest.fixture(params=list(Level))
def any_bench(request: pytest.FixtureRequest, tmp_path: Path) -> Bench:
    return Bench(tmp_path.resolve(), sandbox_at(request.param))


@pytest.fixture
def walled(tmp_path: Path) -> Bench:
    return Bench(tmp_path.resolve(), sandbox_at(Level.BUBBLEWRAP))


class TestPlugin:
    def test_its_answer_is_the_judgement(self, any_bench: Bench) -> None:
        judgement = any_bench.judge(
            any_bench.plugin(f"print('measuring')\nprint('done')\nreturn {ANSWER}")
        )

        assert judgement.evaluation.summary == "fine"
        assert judgement.evaluation.metrics == (Metric("score", 1.0),)
        assert 0 < judgement.evaluation.seconds < 30
        assert judgement.log == "measuring\ndone\n"

    def test_it_is_told_what_to_judge(self, any_bench: Bench) -> None:
        judgement = any_bench.judge(
            any_bench.plugin(
                """
                import os
                candidate = (context.worktree / "candidate.py").read_text()
                (context.scratch / "note").write_text("x")
                summary = [context.commit, candidate, 0 < context.timeout_seconds <= 30,
                           os.getcwd() == str(context.scratch)]
                return {"summary": str(summary), "metrics": [{"name": "a", "value": 1}]}
                """
            )
        )

        assert judgement.evaluation.summary == str([COMMIT, "VALUE = 3\n", True, True])

    def test_it_may_answer_with_an_evaluation(self, bench: Bench) -> None:
        judgement = bench.judge(
            bench.plugin(
                """
                from loreley.core.evaluation import Evaluation, Metric
                def judge(context):
                    return Evaluation("fine", (Metric("score", 2.5, "m", False),))
                """
            )
        )

        assert judgement.evaluation.metrics == (Metric("score", 2.5, "m", False),)

    def test_numbers_of_other_libraries_are_numbers(self, bench: Bench) -> None:
        judgement = bench.judge(
            bench.plugin(
                """
                from fractions import Fraction
                from types import MappingProxyType
                metric = MappingProxyType({"name": "half", "value": Fraction(1, 2)})
                return {"metrics": (metric,)}
                """
            )
        )

        assert judgement.evaluation.value("half") == 0.5

    def test_its_text_arrives_as_it_was(self, bench: Bench) -> None:
        text = '"quoted" \\ back\tslash\n漢字 🙂'

        judgement = bench.judge(
            bench.plugin(
                f"""
                class Text(str): pass
                class Number(float):
                    def __repr__(self): return "Number()"
                metric = {{"name": Text("a b"), "value": Number(0.1), "unit": "é"}}
                return {{"summary": {text!r} + chr(0xd800) + chr(7), "metrics": [metric]}}
                """
            )
        )

        assert judgement.evaluation.summary == text
        assert judgement.evaluation.metrics == (Metric("a b", 0.1, "é"),)

    def test_a_candidate_cannot_pass_for_a_module(self, bench: Bench) -> None:
        for folder in (bench.worktree, bench.scratch):
            (folder / "statistics.py").write_text("raise SystemExit('shadowed')")

        judgement = bench.judge(
            bench.plugin(f"import statistics\nstatistics.mean([1])\nreturn {ANSWER}")
        )

        assert judgement.evaluation.value("score") == 1.0

    def test_its_threads_do_not_keep_it_alive(self, bench: Bench) -> None:
        judgement = bench.judge(
            bench.plugin(
                f"""
                import threading, time
                threading.Thread(target=time.sleep, args=(600,)).start()
                return {ANSWER}
                """
            )
        )

        assert judgement.evaluation.seconds < 20

    @pytest.mark.parametrize(
        ("body", "reason"),
        [
            ("raise ValueError('boom')", "ValueError: boom"),
            ("raise SystemExit(0)", "SystemExit: 0"),
            ("raise KeyboardInterrupt", "KeyboardInterrupt: "),
            ("class E(Exception):\n    __str__ = None\nraise E", "E: (it cannot be printed)"),
            ("return None", "the answer is NoneType, expected a mapping"),
            ("return {'metrics': [{'name': 'a', 'value': float('nan')}]}", "metric 'a' is nan"),
            ("return {'metrics': [{'name': 'a', 'value': 10**5000}]}", "Exceeds the limit"),
            ("return {'metrics': [{'name': 'a', 'value': 10**400}]}", "too large for a float"),
            (
                "return {'metrics': [{'name': 'a', 'value': 1}] * 2}",
                "metric 'a' is reported twice",
            ),
            ("return {'metrics': [0] * 10**7}", "10000000 metrics reported, at most 64 allowed"),
            ("return {'metrics': [{'name': 'a', 'value': object()}]}", "the answer holds object"),
            ("return {'metrics': (n for n in range(9))}", "the answer holds generator"),
            ("a = []\na.append(a)\nreturn {'metrics': a}", "RecursionError"),
            (
                "a = []\nfor _ in range(10**5): a = [a]\nreturn {'metrics': a}",
                "RecursionError",
            ),
            ("return {'summary': 'x' * 2**21, 'metrics': []}", "bytes as JSON"),
            ("return {'metrics': [{'name': 'x' * 9**6, 'value': 1}]}", "at most 128 characters"),
            ("async def answer(): pass\nreturn answer()", "the plugin is asynchronous"),
            ("import os; os._exit(0)", "there is no usable answer"),
            ("import os; os._exit(3)", "exit code 3"),
            ("import ctypes; ctypes.string_at(0)", "ended by SIGSEGV"),
            ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "ended by SIGKILL"),
            ("def f(): f()\nf()", "RecursionError"),
        ],
    )
    def test_a_broken_one_is_a_recorded_failure(self, bench: Bench, body: str, reason: str) -> None:
        assert reason in bench.reason(bench.plugin(body))

    def test_a_traceback_is_in_the_log(self, bench: Bench) -> None:
        failure = bench.failure(bench.plugin("print('so far')\nraise ValueError('boom')"))

        assert "so far" in failure.log
        assert "judges.py" in failure.log
        assert "ValueError: boom" in failure.log

    def test_a_crash_leaves_a_traceback_too(self, bench: Bench) -> None:
        failure = bench.failure(bench.plugin("import ctypes; ctypes.string_at(0)"))

        assert "Fatal Python error: Segmentation fault" in failure.log
        assert "judges.py" in failure.log

    def test_too_much_memory_is_refused(self, any_bench: Bench) -> None:
        options = any_bench.plugin("bytearray(1 << 30)", memory_bytes=512 * MEBIBYTE)

        problem = any_bench.failure(options).problems[0]

        assert "MemoryError" in problem.reason
        assert "WORKER_EVALUATOR_MEMORY_MB" in problem.fix

    def test_printing_without_end_stops_at_the_limit(self, any_bench: Bench) -> None:
        options = any_bench.plugin("while True: print('spam' * 4096)", file_size_bytes=4 * MEBIBYTE)

        failure = any_bench.failure(options)

        assert "File too large" in failure.problems[0].reason
        assert "WORKER_EVALUATOR_FILE_SIZE_MB" in failure.problems[0].fix
        assert len(failure.log) <= 16 * 1024

    def test_the_log_is_text(self, bench: Bench) -> None:
        judgement = bench.judge(
            bench.plugin(
                f"""
                import os
                os.write(1, b"\\x1b[31mred\\x1b[0m \\xff\\0 50%\\r100%\\r\\n")
                return {ANSWER}
                """
            )
        )

        assert judgement.log == "red \N{REPLACEMENT CHARACTER} 50%\n100%\n"

    def test_a_slow_one_is_ended(self, any_bench: Bench) -> None:
        options = any_bench.plugin(
            "print('started')\nimport time; time.sleep(600)", timeout_seconds=1.0
        )
        began = time.monotonic()

        with pytest.raises(TimeLimitReached) as caught:
            any_bench.judge(options)

        assert time.monotonic() - began < 5
        assert caught.value.kind is FailureKind.TIMEOUT
        assert caught.value.problems[0].setting == "WORKER_EVALUATOR_TIMEOUT_SECONDS"
        assert caught.value.log == "started\n"

    def test_the_job_s_own_deadline_ends_it_as_well(self, bench: Bench) -> None:
        options = bench.plugin("import time; time.sleep(600)")

        with pytest.raises(TimeLimitReached) as caught:
            bench.judge(options, Deadline.after(0.5))

        assert caught.value.problems[0].setting == ""

    def test_a_stop_ends_it_at_once(self, bench: Bench) -> None:
        options = bench.plugin("(context.scratch / 'ready').touch()\nimport time; time.sleep(600)")
        stop = Stop()

        def ask() -> None:
            eventually((bench.scratch / "ready").exists)
            stop.ask(JobInterrupted("enough"))

        thread = threading.Thread(target=ask)
        thread.start()
        with pytest.raises(JobInterrupted):
            bench.judge(options, Deadline.after(60, stop))
        thread.join()

    def test_an_answer_of_somebody_else_s_is_not_believed(self, bench: Bench) -> None:
        """A candidate that writes the result itself and ends the plugin."""
        reason = bench.reason(
            bench.plugin(
                f"""
                import os
                with open(os.environ["LORELEY_RESULT"], "w") as file:
                    file.write('{{"answer": {ANSWER}}}')
                os._exit(0)
                """
            )
        )

        assert "was not written by the plugin" in reason

    def test_programs_it_starts_do_not_find_the_token_in_a_process_above(
        self, walled: Bench
    ) -> None:
        """Bubblewrap's first process keeps open what the plugin was started with."""
        options = walled.plugin(
            """
            import subprocess
            said = subprocess.run(["cat", "/proc/1/fd/0"], capture_output=True, check=True).stdout
            return {"summary": repr(said), "metrics": [{"name": "a", "value": 1}]}
            """
        )

        assert walled.judge(options).evaluation.summary == "b''"

    def test_programs_it_starts_do_not_learn_the_token(self, bench: Bench) -> None:
        options = bench.plugin(
            """
            import subprocess
            script = "cat; cat /proc/self/fd/0 /proc/self/environ /proc/$PPID/cmdline"
            said = subprocess.run(["sh", "-c", script], capture_output=True, text=True).stdout
            return {"summary": said, "metrics": [{"name": "a", "value": 1}]}
            """
        )

        summary = bench.judge(options).evaluation.summary

        assert "LORELEY_RESULT" in summary
        assert "token" not in summary

    def test_it_is_searched_for_beside_no_module_of_loreley_s(self, bench: Bench) -> None:
        options = bench.plugin(
            """
            import importlib.util
            spec = importlib.util.find_spec("bubblewrap")
            return {"summary": str(spec), "metrics": [{"name": "a", "value": 1}]}
            """
        )

        assert bench.judge(options).evaluation.summary == "None"


PLANTED = """
import os
from pathlib import Path
result = Path(os.environ["LORELEY_RESULT"])
"""


class TestResultFile:
    """The result's place is in reach of the candidate, who may put anything there."""

    @pytest.mark.parametrize(
        ("plant", "reason"),
        [
            ("ln -s /etc/passwd $LORELEY_RESULT", "there is no usable answer"),
            ("mkfifo $LORELEY_RESULT", "not a regular file"),
            ("mkdir $LORELEY_RESULT", "not a regular file"),
            ("ln -s /dev/zero $LORELEY_RESULT", "there is no usable answer"),
            ("truncate -s 10G $LORELEY_RESULT", "ended by SIGXFSZ"),
            ("truncate -s 2M $LORELEY_RESULT", "2097152 bytes, at most 1048576 allowed"),
            ("chmod 0 . ; true", "there is no usable answer"),
            ("rm -rf $LORELEY_SCRATCH/*", "there is no usable answer"),
            ("echo nonsense > $LORELEY_RESULT", "the answer is not JSON"),
            ("printf '\\377\\376' > $LORELEY_RESULT", "the answer is not JSON"),
            ("echo [] > $LORELEY_RESULT", "the answer is list"),
            ("head -c 200000 /dev/zero | tr '\\0' '[' > $LORELEY_RESULT", "the answer is not JSON"),
            (f"echo '{ANSWER}' > $LORELEY_RESULT; exit 4", "exit code 4"),
        ],
    )
    def test_a_command_s_bad_result_is_a_recorded_failure(
        self, bench: Bench, plant: str, reason: str
    ) -> None:
        assert reason in bench.reason(bench.shell(plant))

    @pytest.mark.parametrize(
        "plant",
        [
            "result.symlink_to('/etc/passwd')",
            "os.mkfifo(result)",
            "result.write_text('x' * 2**21)",
        ],
    )
    def test_a_plugin_s_answer_replaces_what_was_planted(self, bench: Bench, plant: str) -> None:
        judgement = bench.judge(
            bench.plugin(f"{PLANTED}\ndef judge(context):\n    {plant}\n    return {ANSWER}")
        )

        assert judgement.evaluation.value("score") == 1.0

    def test_a_folder_in_its_place_fails(self, bench: Bench) -> None:
        reason = bench.reason(
            bench.plugin(f"{PLANTED}\ndef judge(context):\n    result.mkdir()\n    return {ANSWER}")
        )

        assert "exit code 1" in reason


class TestArtifacts:
    def answer(self, path: str) -> str:
        return (
            "return {'metrics': [{'name': 'a', 'value': 1}], 'artifacts': "
            f"[{{'name': 'plot', 'path': {path!r}, 'media_type': 'image/png'}}]}}"
        )

    def test_they_are_kept(self, bench: Bench) -> None:
        judgement = bench.judge(
            bench.plugin(
                "(context.scratch / 'out').mkdir()\n"
                "(context.scratch / 'out' / 'plot.png').write_bytes(b'picture')\n"
                + self.answer("out/plot.png")
            )
        )

        assert judgement.artifacts == (Artifact("plot", "image/png", b"picture"),)

    @pytest.mark.parametrize(
        ("plant", "path", "reason"),
        [
            ("", "missing", "'missing' cannot be read: No such file"),
            ("", "/etc/passwd", "not a path inside"),
            ("", "../worktree/candidate.py", "not a path inside"),
            ("", "home", "not a regular file"),
            ("os.symlink('/etc/passwd', 'link')", "link", "cannot be read"),
            ("os.symlink('/etc', 'link')", "link/passwd", "cannot be read"),
            ("os.mkfifo('fifo')", "fifo", "not a regular file"),
            ("open('big', 'wb').write(bytes(2**21))", "big", "at most 1048576 allowed"),
        ],
    )
    def test_what_is_no_plain_file_inside_fails(
        self, bench: Bench, plant: str, path: str, reason: str
    ) -> None:
        said = bench.reason(bench.plugin(f"import os\n{plant}\n{self.answer(path)}"))

        assert reason in said


class TestCommand:
    def test_it_writes_its_answer_to_a_path(self, any_bench: Bench) -> None:
        judgement = any_bench.judge(any_bench.shell(f"echo '{ANSWER}' > $LORELEY_RESULT; echo hi"))

        assert judgement.evaluation.summary == "fine"
        assert judgement.log == "hi\n"

    def test_its_words_are_filled_in_without_a_shell(self, bench: Bench) -> None:
        script = bench.folder / "judge.py"
        script.write_text(
            "import json, sys\n"
            "summary = repr(sys.argv[1:])\n"
            "metrics = [{'name': 'a', 'value': 1}]\n"
            "json.dump({'summary': summary, 'metrics': metrics}, open(sys.argv[2], 'w'))\n"
        )
        options = bench.command(
            "python3", str(script), "{worktree}", "{result}", "--out={scratch}/x", "$HOME; {}"
        )

        assert bench.judge(options).evaluation.summary == repr(
            [
                str(bench.worktree),
                str(bench.scratch / "result.json"),
                f"--out={bench.scratch}/x",
                "$HOME; {}",
            ]
        )

    def test_its_environment_says_what_to_judge(self, bench: Bench) -> None:
        judgement = bench.judge(
            bench.shell(
                f"echo '{ANSWER}' > $LORELEY_RESULT; "
                "echo $LORELEY_COMMIT $LORELEY_WORKTREE $LORELEY_SCRATCH; pwd"
            )
        )

        assert judgement.log == f"{COMMIT} {bench.worktree} {bench.scratch}\n{bench.scratch}\n"

    def test_a_failing_one_is_told_by_its_last_line(self, bench: Bench) -> None:
        reason = bench.reason(bench.shell("echo compiling; echo 'no such target' >&2; exit 2"))

        assert reason == "exit code 2: no such target"


class TestCheck:
    def check(self, bench: Bench, options: EvaluatorOptions) -> ConfigError:
        with pytest.raises(ConfigError) as caught:
            Evaluator(options, bench.sandbox).check()
        return caught.value

    def test_a_good_plugin_passes_without_being_called(self, any_bench: Bench) -> None:
        options = any_bench.plugin("raise ValueError('called')")

        Evaluator(options, any_bench.sandbox).check()

    def test_a_good_command_passes_without_being_run(self, any_bench: Bench) -> None:
        options = any_bench.command("false", "{result}")

        Evaluator(options, any_bench.sandbox).check()

    @pytest.mark.parametrize(
        ("code", "reason"),
        [
            ("def judge(context) return", "SyntaxError"),
            ("import nosuchthing\ndef judge(context): pass", "No module named 'nosuchthing'"),
            ("def judges(context): pass", "has no attribute 'judge'"),
            ("#def judge\njudge = 3", "judges:judge is int"),
            ("async def judge(context): pass", "asynchronous"),
            ("def judge(): pass", "too many positional arguments"),
            ("def judge(context, more): pass", "missing a required argument: 'more'"),
            ("import os; os._exit(0)\ndef judge(context): pass", "there is no usable answer"),
            ("import os; os.abort()\ndef judge(context): pass", "ended by SIGABRT"),
            ("import sys; sys.exit('sorry')\ndef judge(context): pass", "SystemExit: sorry"),
        ],
    )
    def test_a_plugin_that_cannot_be_called_is_refused(
        self, bench: Bench, code: str, reason: str
    ) -> None:
        if "def judge(" not in code:
            options = bench.plugin("def judge(context): pass")
            (bench.plugins / "judges.py").write_text(code)
        else:
            options = bench.plugin(code)

        [problem] = self.check(bench, options).problems

        assert reason in problem.reason
        assert problem.setting == "WORKER_EVALUATOR_PLUGIN=judges:judge"
        assert "WORKER_EVALUATOR_PYTHON_PATHS" in problem.fix

    def test_a_plugin_whose_import_never_ends_is_refused(self, bench: Bench) -> None:
        options = bench.plugin("import time; time.sleep(600)\ndef judge(context): pass")

        with pytest.raises(ConfigError, match="time limit"):
            Evaluator(options, bench.sandbox).check(Deadline.after(1))

    @pytest.mark.parametrize("program", ["nosuchprogram", "/nonexistent/judge"])
    def test_a_program_that_does_not_exist_is_refused(self, bench: Bench, program: str) -> None:
        [problem] = self.check(bench, bench.command(program)).problems

        assert problem.reason == "there is no such program"
        assert problem.setting == f"WORKER_EVALUATOR_COMMAND={program}"

    def test_the_plugin_is_not_imported_here(self, bench: Bench) -> None:
        Evaluator(bench.plugin("return None"), bench.sandbox).check()

        assert "judges" not in sys.modules


class TestHostile:
    """What a candidate tries when the evaluator runs it."""

    def tried(self, bench: Bench, body: str, **options: object) -> str:
        """What the body's ``tried()`` returned, or the error it met."""
        code = f"""
def tried(context):
{textwrap.indent(textwrap.dedent(body), "    ")}
def judge(context):
    try:
        said = str(tried(context))
    except OSError as error:
        said = repr(error)
    return {{"summary": said, "metrics": [{{"name": "a", "value": 1}}]}}
"""
        return bench.judge(bench.plugin(code, **options)).evaluation.summary

    def test_the_environment_is_what_was_allowed(
        self, any_bench: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name in ("TASKS_REDIS_PASSWORD", "OPENAI_API_KEY", "GRANTED", "LC_TIME"):
            monkeypatch.setenv(name, f"value of {name}")

        said = self.tried(any_bench, "import os\nreturn dict(os.environ)", environment=("GRANTED",))

        assert "value of GRANTED" in said
        assert "value of LC_TIME" in said
        assert "PASSWORD" not in said
        assert "OPENAI" not in said
        assert f"'HOME': '{any_bench.scratch}/home'" in said

    def test_the_worker_s_environment_is_out_of_reach(
        self, walled: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        said = self.tried(walled, f"return open('/proc/{os.getpid()}/environ').read()")

        assert "FileNotFoundError" in said

    @pytest.mark.parametrize("name", [".ssh/id_ed25519", ".env", ".loreley/loreley.db"])
    def test_files_of_the_worker_s_are_out_of_reach(self, walled: Bench, name: str) -> None:
        secret = Path.home() / name
        secret.parent.mkdir(exist_ok=True)
        secret.write_text("secret")

        assert "FileNotFoundError" in self.tried(walled, f"return open({str(secret)!r}).read()")

    def test_the_queue_s_socket_is_out_of_reach(self, walled: Bench) -> None:
        with tempfile.TemporaryDirectory() as state, socket.socket(socket.AF_UNIX) as server:
            server.bind(f"{state}/r.sock")
            server.listen()
            connect = f"socket.socket(socket.AF_UNIX).connect('{state}/r.sock')"
            options = {"hidden": (Path(state),), "readable": (Path(state).parent,)}

            said = self.tried(walled, f"import socket\nreturn {connect}", **options)

        assert "FileNotFoundError" in said

    def test_a_service_on_this_host_is_out_of_reach_unless_granted(self, walled: Bench) -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
            body = f"import socket\nreturn socket.create_connection(('127.0.0.1', {port}), 5)"

            assert "Error" in self.tried(walled, body)
            assert "<socket.socket" in self.tried(walled, body, network=True)

    def test_the_worktree_s_git_file_cannot_be_replaced(self, walled: Bench) -> None:
        body = """
        import os, shutil
        shutil.rmtree(context.worktree, ignore_errors=True)
        os.unlink(context.worktree / ".git")
        """

        assert "OSError" in self.tried(walled, body)
        assert (walled.worktree / ".git").read_text() == "gitdir: /elsewhere"

    def test_a_worktree_that_deletes_itself_is_judged_all_the_same(self, any_bench: Bench) -> None:
        said = self.tried(
            any_bench, "import shutil\nshutil.rmtree(context.worktree, ignore_errors=True)"
        )

        assert said == "None"

    def test_a_daemon_does_not_survive(self, walled: Bench) -> None:
        body = """
        import os, time
        for _ in range(2):
            if os.fork():
                if _:
                    os._exit(0)
                while not os.path.exists("alive"):
                    time.sleep(0.01)
                return "started"
            os.setsid()
        open("alive", "w").close()
        while True:
            os.utime("alive")
            time.sleep(0.01)
        """

        assert self.tried(walled, body) == "started"

        alive = walled.scratch / "alive"
        eventually(lambda: time.time() - alive.stat().st_mtime > 0.3)

    def test_descriptors_of_the_worker_s_are_not_inherited(
        self, any_bench: Bench, secret_descriptor: int
    ) -> None:
        said = self.tried(any_bench, f"import os\nreturn os.read({secret_descriptor}, 100)")

        assert "Bad file descriptor" in said


@pytest.fixture
def secret_descriptor() -> Iterator[int]:
    """One that is marked as inheritable, as a careless library may leave it."""
    with tempfile.TemporaryFile() as file:
        file.write(b"secret")
        file.flush()
        descriptor = os.dup2(file.fileno(), 77)
        yield descriptor
        os.close(descriptor)


def test_nothing_is_left_in_this_process(bench: Bench) -> None:
    def counts() -> tuple[int, int]:
        descriptors = len(list(Path("/proc/self/fd").iterdir()))
        return descriptors, threading.active_count()

    def judge_and_fail() -> None:
        bench.judge(bench.plugin(f"return {ANSWER}"))
        bench.failure(bench.plugin("raise ValueError"))
        with pytest.raises(TimeLimitReached):
            bench.judge(bench.plugin("import time; time.sleep(9)"), Deadline.after(0.1))

    judge_and_fail()
    before = counts()
    judge_and_fail()

    assert counts() == before
