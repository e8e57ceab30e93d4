import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from tiny_model import clip, silence, sine

from apps.speech import picture
from domains.speech.audio import MELS, SAMPLE_RATE, LogMel
from domains.speech.explanation import Explanation


def log_mel(waveform):
    return LogMel()(torch.from_numpy(waveform)[None])[0, 0].numpy()


def explanation(waveform, relevance=None, label="yes"):
    seen = log_mel(waveform)
    relevance = np.zeros_like(seen) if relevance is None else relevance
    return Explanation(label, 0.98, waveform, seen, relevance)


def panels(image):
    """The three panels, as the constants of the module place them."""
    pixels, found, top = np.asarray(image).astype(int), [], picture.TOP
    for height in (picture.WAVE_HEIGHT, picture.MEL_HEIGHT, picture.MEL_HEIGHT):
        found.append(pixels[top : top + height, picture.LEFT : picture.LEFT + picture.WIDTH])
        top += height + picture.GAP
    return found


def brightness(pixels):
    return pixels @ [0.2126, 0.7152, 0.0722]


@pytest.mark.parametrize("hz", picture.TICKS_HZ)
def test_a_frequency_is_written_where_its_tone_is_loudest(hz):
    row = int(log_mel(sine(hz, 1.0)).mean(1).argmax())
    assert row == pytest.approx(picture.band(hz, MELS) * MELS - 0.5, abs=0.75)
    _, spectrum, _ = panels(picture.drawn(explanation(sine(hz, 1.0))))
    brightest = brightness(spectrum[:, 100:-100]).mean(1)
    middle = np.flatnonzero(brightest == brightest.max()).mean()
    band = picture.MEL_HEIGHT / MELS
    assert middle == pytest.approx(picture.MEL_HEIGHT * (1 - picture.band(hz, MELS)), abs=band)


@settings(max_examples=25, deadline=None)
@given(second=st.floats(0.05, 0.95))
def test_a_click_is_at_the_same_time_in_all_panels(second):
    waveform = silence(1)
    waveform[round(second * (SAMPLE_RATE - 1))] = 0.5
    seen = log_mel(waveform)
    image = picture.drawn(explanation(waveform, seen - seen.min()))
    wave, *spectra = panels(image)
    [column] = np.flatnonzero((wave[0] == picture.WAVE).all(1))
    assert column == pytest.approx(second * picture.WIDTH, abs=1)
    for spectrum in spectra:
        bright = brightness(spectrum[:, 8:-8]).mean(0)  # without the paper, where no frame is
        columns = 8 + np.flatnonzero(bright > bright.min() + 10)
        frame = picture.WIDTH / 100
        assert columns.mean() == pytest.approx(second * picture.WIDTH, abs=1.5 * frame)


def test_the_quietest_waveform_fills_its_panel_and_says_so():
    loud, quiet = (panels(picture.drawn(explanation(g * clip("yes"))))[0] for g in (1, 0.01))
    assert np.array_equal(loud, quiet)
    flat, *_ = panels(picture.drawn(explanation(silence(1))))
    assert len(np.unique(np.flatnonzero((flat == picture.WAVE).all(2).any(1)))) == 1


def test_louder_is_brighter_and_the_lowest_band_is_at_the_bottom():
    values = np.arange(12.0).reshape(4, 3)
    bright = brightness(picture.heat(values).astype(int))[::-1].ravel()
    assert (np.diff(bright) > 0).all()


VALUES = arrays(np.float32, (4, 5), elements=st.floats(-100, 100, width=32))


@given(log_mel=VALUES, relevance=VALUES)
def test_orange_is_for_and_blue_against(log_mel, relevance):
    red, green, blue = np.moveaxis(picture.overlay(log_mel, relevance).astype(int), 2, 0)
    strength = relevance[::-1] / max(np.abs(relevance).max(), 1e-9)
    assert (red > blue)[strength > 0.3].all()
    assert (red < blue)[strength < -0.3].all()
    none = strength == 0
    assert (red == green)[none].all() and (green == blue)[none].all()


def test_twice_the_relevance_is_the_same_picture():
    waveform, relevance = clip("no"), np.zeros_like(log_mel(clip("no")))
    relevance[10:20, 30:60] = 0.5
    relevance[5, 5] = -1
    once, twice, none = (
        np.asarray(picture.drawn(explanation(waveform, factor * relevance))) for factor in (1, 2, 0)
    )
    assert np.array_equal(once, twice) and not np.array_equal(once, none)


@pytest.mark.parametrize("label", ["", "räksmörgås", "two\nlines \x1b[2J", "右", "x" * 500])
def test_any_label_and_any_length_has_a_picture(label):
    sizes = {
        picture.drawn(explanation(sine(440, seconds), label=label)).size
        for seconds in (0.03, 0.5, 1, 3)
    }
    assert len(sizes) == 1


def test_what_is_drawn_stays_as_it_was():
    found = explanation(clip("up"))
    before = [array.copy() for array in (found.waveform, found.log_mel, found.relevance)]
    picture.drawn(found)
    after = (found.waveform, found.log_mel, found.relevance)
    assert all(map(np.array_equal, before, after))
