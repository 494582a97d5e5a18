"""Evaluators that are commands, and what is checked of any before the first job."""

import sys

import pytest

from loreley.core.evaluation.evaluator import Evaluator, EvaluatorOptions
from loreley.errors import ConfigError
from loreley.host.deadline import Deadline
from tests.core.evaluation.bench import ANSWER, COMMIT, Bench


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

    def test_a_failing_one_is_reported_by_its_last_line(self, bench: Bench) -> None:
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

    @pytest.mark.slow
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
