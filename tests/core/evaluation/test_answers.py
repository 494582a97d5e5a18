"""What evaluators leave in files: the result and artifacts, in reach of the candidate."""

import pytest

from loreley.core.evaluation.evaluation import Artifact
from tests.core.evaluation.bench import ANSWER, Bench

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
