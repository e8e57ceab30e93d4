"""`receptive go play` with a terminal as stdin and stdout."""

import os
import select
import signal
import subprocess
import sys
from contextlib import suppress

import fake_go
import pytest
from fake_go import saved

pytestmark = pytest.mark.skipif(os.name == "nt", reason="needs POSIX terminals")


class AtTerminal:
    """`receptive go play` with a terminal as stdin and stdout."""

    def __init__(self, folder, *arguments, **environment):
        import termios

        self.terminal, end = os.openpty()
        termios.tcsetwinsize(end, (40, 80))
        self.process = subprocess.Popen(
            [sys.executable, fake_go.__file__, "go", "play", "--size", "5", *arguments],
            stdin=end, stdout=end, stderr=subprocess.PIPE, cwd=folder, start_new_session=True,
            env={**fake_go.ENVIRONMENT, **environment},
        )  # fmt: skip
        os.close(end)
        self.out, self.read = "", 0

    def until(self, text):
        """Reads on until the terminal shows `text` after what was waited for before."""
        while text not in self.out[self.read :]:
            ready, _, _ = select.select([self.terminal], [], [], 300)
            assert ready, f"{text!r} is not shown:\n{self.out}"
            try:
                self.out += os.read(self.terminal, 65536).decode()
            except OSError:
                raise AssertionError(f"ended without {text!r}:\n{self.out}") from None
        self.read = self.out.index(text, self.read) + len(text)
        return self

    def type(self, text):
        os.write(self.terminal, text.encode())
        return self

    def interrupt(self):
        """Ctrl-C until it ends: one that comes just before a read begins is heard after it."""
        self.process.send_signal(signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(20)
        if self.process.returncode is None:
            self.process.send_signal(signal.SIGINT)
        return self

    def end(self):
        _, err = self.process.communicate(timeout=300)
        os.close(self.terminal)
        return self.process.returncode, err


def test_at_a_terminal_the_board_is_in_colour_and_ctrl_c_keeps_the_game(tmp_path):
    game = AtTerminal(tmp_path, "--save", "a.sgf").until("Black to play> ")
    game.type("c3\n").until("plays A5").until("Black to play> ")
    assert "\x1b[" in game.out and "●" in game.out
    assert game.interrupt().end() == (0, b"")
    assert saved(tmp_path / "a.sgf").moves == ["b C3", "w A5"]


def test_at_a_terminal_without_colour_and_ctrl_d(tmp_path):
    game = AtTerminal(tmp_path, "--save", "a.sgf", NO_COLOR="1").until("Black to play> ")
    game.type("c3\n").until("plays A5").until("Black to play> ")
    assert "\x1b[3" not in game.out and "(O)" in game.out
    game.type("\x04")
    assert game.end() == (0, b"")
    assert saved(tmp_path / "a.sgf").moves == ["b C3", "w A5"]


def test_a_killed_game_is_in_its_file_up_to_the_last_move(tmp_path):
    game = AtTerminal(tmp_path, "--save", "a.sgf").until("Black to play> ")
    game.type("c3\n").until("Move 2").until("Black to play> ")
    game.process.kill()
    game.end()
    assert saved(tmp_path / "a.sgf").moves == ["b C3", "w A5"]
