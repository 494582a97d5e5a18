"""Which numbers are tuned, between which values, and what is told of the others."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from loreley.config.tuning import Bounds, TunedName
from loreley.core.agents.edit_rules import Region
from loreley.core.agents.genetic.source.files import read_source
from loreley.core.tuning.parameters import Parameters, ParameterSearch
from tests.core.agents.genetic.folder import folder

PLAN = "import x\n\nGREED = 0.5\nSIZES = [3, 4]\n\n\ndef run():\n    return 7 * GREED\n"
MODEL = "# head 9\r\nrate: 0.01 # tune: 1e-4:1e-1:log\r\nmodel:\r\n  size: 8\r\n"


def find(
    files: dict[str, str], tmp_path: Path, names: Sequence[str] = (), region: Region | None = None
) -> Parameters:
    folder(tmp_path, {path: text.encode() for path, text in files.items()})
    sources = [read_source(tmp_path, path) for path in sorted(files)]
    named = [TunedName.parse(name) for name in names]
    return ParameterSearch(named, region).search(file for file in sources if file)


def names(found: Parameters) -> list[str]:
    return [parameter.name for parameter in found.all]


def test_what_has_a_name_is_tuned(tmp_path: Path) -> None:
    found = find({"plan.py": PLAN, "conf/model.yaml": MODEL}, tmp_path)
    assert names(found) == [
        *("conf/model.yaml:rate", "conf/model.yaml:model.size"),
        *("plan.py:GREED", "plan.py:SIZES", "plan.py:SIZES"),
    ]
    assert found.values == (0.01, 8, 0.5, 3, 4)
    assert found.remarks == ()


def test_every_literal_is_tuned_where_none_has_a_name(tmp_path: Path) -> None:
    found = find({"a.py": "def run():\n    return 7 * 0.5\n"}, tmp_path)
    assert (names(found), found.values) == (["a.py:2", "a.py:2"], (7, 0.5))


def test_only_what_is_named_is_tuned_where_anything_is(tmp_path: Path) -> None:
    wanted = ["conf/model.yaml:model", "plan.py:GREED:0:1"]
    found = find({"plan.py": PLAN, "conf/model.yaml": MODEL}, tmp_path, wanted)
    assert names(found) == ["conf/model.yaml:model.size", "plan.py:GREED"]
    assert [parameter.bounds for parameter in found.all] == [None, Bounds(0, 1)]


def test_a_value_has_no_more_digits_than_its_step_deserves(tmp_path: Path) -> None:
    coarse, fine = find({"m.yaml": "a: 0.5\nb: 0.512345\n"}, tmp_path).all
    assert coarse.at(1 / 3) == 0.52
    assert fine.at(1 / 3) == 0.5141
    assert fine.at(0.0) == 0.512345


@pytest.mark.parametrize(
    ("path", "text", "other"),
    [
        ("m.yaml", "fast: true # so\nname: 'true'\n", "fast: false # so\nname: 'true'\n"),
        ("m.json", '{"fast": true, "a": "true"}', '{"fast": false, "a": "true"}'),
        ("m.toml", "fast = true\n", "fast = false\n"),
        ("m.ini", "fast = True\n", "fast = False\n"),
        ("m.py", "fast = True\nfast2: bool = True\n", "fast = False\nfast2: bool = True\n"),
    ],
)
def test_what_is_true_or_false_is_tuned_where_it_is_named(
    path: str, text: str, other: str, tmp_path: Path
) -> None:
    found = find({path: text}, tmp_path, [f"{path}:fast"])
    assert found.values == (1,)
    assert {found.all[0].at(distance) for distance in (-9.0, 0.0, 9.0)} == {0, 1}
    assert found.write((0,))[path].decode() == other
    assert find({path: text}, tmp_path).all == ()


@pytest.mark.parametrize(
    ("path", "text", "name", "other"),
    [
        ("m.yaml", "mode: fast # tune: fast|slow|off\n", "", "mode: off # tune: fast|slow|off\n"),
        (
            "m.py",
            "MODE = 'fast'  # tune fast|slow|off\n",
            "",
            "MODE = 'off'  # tune fast|slow|off\n",
        ),
        (
            "m.c",
            "#define M fast /* tune: off|fast */\n",
            "",
            "#define M off /* tune: off|fast */\n",
        ),
        ("m.ini", "n = 16 ; tune: 8|16|32\n", "", "n = 32 ; tune: 8|16|32\n"),
        ("m.json", '{"a": {"mode": "fast"}}', "mode:fast|slow|off", '{"a": {"mode": "off"}}'),
        ("m.toml", 'fast = 1\nmode = "fast"\n', "mode:fast|off", 'fast = 1\nmode = "off"\n'),
        ("m.py", "mode: str = 'fast'\n", "mode:fast|off", "mode: str = 'off'\n"),
    ],
)
def test_one_of_a_few_words_is_tuned(
    path: str, text: str, name: str, other: str, tmp_path: Path
) -> None:
    found = find({path: text}, tmp_path, [f"{path}:{name}"] if name else [])
    *_, choice = found.all
    assert choice.literal.words[int(choice.literal.value)] in ("fast", "16")
    wanted = choice.literal.words.index("32" if "32" in other else "off")
    values = [*found.values[:-1], wanted]
    assert found.write(values)[path].decode() == other
    assert {choice.at(distance) for distance in range(-30, 30)} == set(
        range(len(choice.literal.words))
    )


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("mode: late # tune: fast|slow\n", ""),
        ("mode: [fast, slow] # tune: fast|slow\n", ""),
        ("mode: late\n", "mode:fast|slow"),
        ("a:\n  mode: fast\nb:\n  mode: slow\n", "mode:fast|slow"),
    ],
)
def test_words_that_stand_nowhere_or_twice_are_told(text: str, name: str, tmp_path: Path) -> None:
    found = find({"m.yaml": text}, tmp_path, [f"m.yaml:{name}"] if name else [])
    assert found.all == ()
    assert found.remarks == (
        "m.yaml:mode:fast|slow: there is no such value, or it may not be changed"
        if name
        else "m.yaml:1: none of fast, slow stands there, or two",
    )


def test_a_name_that_is_nowhere_is_told(tmp_path: Path) -> None:
    found = find({"plan.py": PLAN}, tmp_path, ["plan.py:GREDE:0:1"])
    assert found.all == ()
    assert found.remarks == ("plan.py:GREDE:0:1: there is no such value, or it may not be changed",)


def test_a_range_stands_beside_the_number(tmp_path: Path) -> None:
    files = {"a.c": "#define N 5 /* tune 1:9 */\n", "m.yaml": MODEL, "b.py": "G = 1 # tune 3:2\n"}
    found = find(files, tmp_path)
    bounds = {parameter.name: parameter.bounds for parameter in found.all}
    assert bounds["m.yaml:rate"] == Bounds(1e-4, 1e-1, is_log=True)
    assert bounds["a.c:N"] == Bounds(1, 9)
    assert found.remarks == ("b.py:1: '3:2' holds no number: 3 is not below 2",)


@pytest.mark.parametrize("text", ["a = 5 # tune: 6:9\n", "a = 5 # tune: -1:4.5\n"])
def test_a_number_outside_of_its_range_is_told_and_left_alone(text: str, tmp_path: Path) -> None:
    found = find({"m.ini": f"{text}b = 1\n"}, tmp_path)
    assert names(found) == ["m.ini:b"]
    [remark] = found.remarks
    assert remark.startswith("m.ini:a: 5 is outside of its range ")


def test_what_a_reader_left_alone_is_told(tmp_path: Path) -> None:
    assert find({"m.ini": "a = 0,5\nb = 1\n"}, tmp_path).remarks == (
        "m.ini: a: 0,5 has a decimal comma",
    )


def test_only_numbers_between_the_marks_are_tuned(tmp_path: Path) -> None:
    text = "A = 1\n# BEGIN\nB = 2\n# END\nC = 3\n# BEGIN\nD = 4\n"
    assert names(find({"a.py": text}, tmp_path, region=Region("BEGIN", "END"))) == ["a.py:B"]


def test_values_are_written_where_the_numbers_stand(tmp_path: Path) -> None:
    found = find({"plan.py": PLAN, "model.yaml": MODEL}, tmp_path)
    written = found.write((1e-5, 9, 0.5, 3, 5))
    assert written["model.yaml"].decode() == (
        "# head 9\r\nrate: 1.0e-05 # tune: 1e-4:1e-1:log\r\nmodel:\r\n  size: 9\r\n"
    )
    assert written["plan.py"].decode() == PLAN.replace("[3, 4]", "[3, 5]")


def test_a_step_leads_away_and_back_again(tmp_path: Path) -> None:
    text = "a: 0.5\nb: 8 # tune: 1:64:log\nc: -2.25 # tune: -3:9\nd: 0.0\ne: 0.125\n"
    for parameter in find({"m.yaml": text}, tmp_path).all:
        assert parameter.at(0.0) == parameter.literal.value
        low, high = parameter.distances
        for distance in (-0.25, 0.25, 1.0):
            assert low < distance < high
            value = parameter.at(distance)
            if not parameter.is_integer:
                assert parameter.distance_of(value) == pytest.approx(distance, abs=0.1)
        assert parameter.bounds is None or parameter.bounds.hold(parameter.at(1e3))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is not file:name"),
        (":a", "is not file:name"),
        ("a.py:b:1", "is not low:high"),
        ("a.py:b:1:2:ln", "is not low:high"),
        ("a.py:b:x:2", "is not a number"),
        ("a.py:b:0:nan", "is not finite"),
        ("a.py:b:2:2", "holds no number"),
        ("a.py:b:0:2:log", "must begin above 0"),
        ("a.py:b:x|", "is not one|other"),
    ],
)
def test_a_name_that_cannot_be_read_is_refused(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        TunedName.parse(text)
