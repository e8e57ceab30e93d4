"""Whatever comes in, what goes out is GTP: an answer to each line that has one, with its id."""

import io
import re

from hypothesis import given, settings
from hypothesis import strategies as st
from stub_policy import StubPolicy

from domains.go.gtp import serve
from domains.go.gtp_commands import Engine
from domains.go.player import GoPlayer

ANSWERS = re.compile(r"([=?]\d*( [^\n]*)?\n([^\n]+\n)*\n)*")
COMMANDS = sorted(Engine(GoPlayer(StubPolicy()), "1").commands)
FILES = {"loadsgf", "printsgf"}  # a made-up name is a file's, and none shall be written here

vertex = st.builds("{}{}".format, st.sampled_from("abcdefghjz"), st.integers(-1, 11))
word = st.one_of(
    vertex,
    st.sampled_from(["b", "w", "black", "pass", "all", "dead", "alive", "strength", "1", "-1"]),
    st.integers().map(str),
    st.floats().map(str),
    st.text(max_size=6),
)
command = st.builds(
    lambda name, words: " ".join([name, *words]),
    st.sampled_from([name for name in COMMANDS if name not in FILES] + ["known_command", "5"]),
    st.lists(word, max_size=4),
)
line = st.one_of(
    command.map(str.encode),
    st.text(max_size=30).map(lambda text: text.replace("printsgf", "").encode()),
    st.binary(max_size=30),
)


def said(lines):
    out = io.StringIO()
    serve(Engine(GoPlayer(StubPolicy(), "careless"), "1").commands, lines, out)
    return out.getvalue()


@settings(deadline=None, max_examples=150)
@given(st.lists(line, max_size=12))
def test_any_input_is_answered_in_form(lines):
    whole = b"boardsize 7\n" + b"\n".join(lines)
    assert ANSWERS.fullmatch(said(whole.split(b"\n")))


@settings(deadline=None, max_examples=150)
@given(st.lists(command.filter(lambda text: "#" not in text and "\n" not in text), max_size=12))
def test_every_command_is_answered_once_in_order(commands):
    lines = [f"{number} {text}\n".encode() for number, text in enumerate(commands, 100)]
    ids = re.findall(r"^[=?](\d+)", said([b"1 boardsize 7\n", *lines]), re.MULTILINE)
    assert ids == ["1", *(str(100 + number) for number in range(len(commands)))]


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 60)), max_size=40))
def test_a_game_of_any_moves_and_undos_keeps_its_board(steps):
    """`showboard` after an undo is what it was before the move."""
    engine = Engine(GoPlayer(StubPolicy()), "1")
    run = engine.commands
    run["boardsize"]("5")
    for undo, number in steps:
        before = run["showboard"]()
        vertex = f"{'ABCDE'[number % 5]}{number // 5 % 5 + 1}" if number < 50 else "pass"
        try:
            run["play"]("b" if number % 2 else "w", vertex)
        except ValueError:
            assert run["showboard"]() == before
            continue
        if undo:
            run["undo"]()
            assert run["showboard"]().split(" to play")[0][:-5] == before.split(" to play")[0][:-5]
