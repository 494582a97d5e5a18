"""Plugins, most of them broken or slow."""

import threading
import time

import pytest

from loreley.core.evaluation.evaluation import Metric
from loreley.errors import FailureKind, JobInterrupted, TimeLimitReached
from loreley.host.deadline import Deadline, Stop
from tests.core.evaluation.bench import ANSWER, COMMIT, MEBIBYTE, Bench
from tests.support import eventually


class TestPlugin:
    def test_its_answer_is_the_judgement(self, any_bench: Bench) -> None:
        judgement = any_bench.judge(
            any_bench.plugin(f"print('measuring')\nprint('done')\nreturn {ANSWER}")
        )

        assert judgement.evaluation.summary == "fine"
        assert judgement.evaluation.metrics == (Metric("score", 1.0),)
        assert 0 < judgement.evaluation.seconds < 30
        assert judgement.log == "measuring\ndone\n"

    def test_the_evaluator_is_given_what_to_judge(self, any_bench: Bench) -> None:
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

    @pytest.mark.slow
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

    def test_the_log_of_an_evaluation_is_text(self, bench: Bench) -> None:
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

    @pytest.mark.slow
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

    @pytest.mark.slow
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
