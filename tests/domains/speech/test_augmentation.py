"""What augmentation may do to a clip, and what it must not."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_model import noise, silence, sine

from domains.speech import augmentation
from domains.speech.augmentation import BANDS, SPECTRA
from domains.speech.data import to_int16

RATE = 16_000
NOISES = [to_int16(noise(1.5, 0.1)), to_int16(sine(50, 0.05, 0.9)), np.zeros(9000, np.int16)]
CLIPS = [
    sine(440, 0.7), noise(1.3, 1.0), silence(0.5), np.ones(1, np.float32),
    np.array([0, 0, 1] + [0] * 77, np.float32),
]  # fmt: skip


def generator(seed=0):
    return np.random.default_rng(seed)


def level(waveform):
    return float(np.sqrt(np.mean(np.square(waveform, dtype=np.float64))))


@settings(max_examples=60, deadline=None)
@given(
    clip=st.sampled_from(CLIPS),
    noises=st.sampled_from([[], NOISES, NOISES[2:]]),
    samples=st.sampled_from([480, 8000, 16_000]),
    seed=st.integers(0, 10**6),
)
def test_a_varied_clip_is_a_clip_and_a_function_of_the_generator(clip, noises, samples, seed):
    before = clip.copy()
    heard = augmentation.vary(clip, noises, samples, generator(seed))
    assert heard.shape == (samples,)
    assert heard.dtype == np.float32
    assert np.isfinite(heard).all()
    assert np.abs(heard).max() <= 1
    np.testing.assert_array_equal(clip, before)
    again = augmentation.vary(clip, noises, samples, generator(seed))
    np.testing.assert_array_equal(heard, again)


def test_a_clip_is_hardly_ever_the_same_again():
    rng = generator()
    heard = [augmentation.vary(CLIPS[0], NOISES, RATE, rng).tobytes() for _ in range(20)]
    assert len(set(heard)) == 20


@pytest.fixture
def nothing_but(monkeypatch):
    """Leaves the clip as it is but for what is named."""

    def only(**constants):
        plain = {"SPEED": 0, "SHIFT": 0, "GAIN_DB": (0, 0), "NOISY": 0, "TELEPHONE": 0}
        for name, value in {**plain, **constants}.items():
            monkeypatch.setattr(augmentation, name, value)

    return only


def test_nothing_to_vary(nothing_but):
    nothing_but()
    clip = sine(440, 1.0)
    heard = augmentation.vary(clip, NOISES, RATE, generator())
    np.testing.assert_allclose(heard[:-1], clip[:-1], atol=1e-6)


@pytest.mark.parametrize("snr", [-5, 0, 10, 30])
def test_noise_is_so_many_decibels_below_the_clip(nothing_but, snr):
    nothing_but(NOISY=1, SNR_DB=(snr, snr))
    clip = sine(440, 1.0, 0.2)
    heard = augmentation.vary(clip, NOISES[:1], RATE, generator())
    added = (heard - clip)[:-1]
    assert 20 * np.log10(level(clip) / level(added)) == pytest.approx(snr, abs=0.1)


@pytest.mark.parametrize("gain", [-25, 6])
def test_gain_is_in_decibels(nothing_but, gain):
    nothing_but(GAIN_DB=(gain, gain))
    heard = augmentation.vary(sine(440, 1.0, 0.2), [], RATE, generator())
    assert 20 * np.log10(level(heard) / level(sine(440, 1.0, 0.2))) == pytest.approx(gain, abs=0.01)


def test_a_telephone_lets_through_its_band(nothing_but):
    nothing_but(TELEPHONE=1)
    both = sine(1000, 1.0, 0.2) + sine(6000, 1.0, 0.2)
    heard = augmentation.vary(both, [], RATE, generator())
    assert level(heard - sine(1000, 1.0, 0.2)) < 0.01


@settings(max_examples=40, deadline=None)
@given(length=st.integers(1, 16_000), seed=st.integers(0, 10**6))
def test_a_short_clip_is_moved_by_a_tenth_of_a_second_at_most(length, seed):
    clip = np.ones(length, np.float32)
    at = np.flatnonzero(augmentation.place(clip, RATE, generator(seed)))
    start = (RATE - length) // 2
    assert start - 1600 <= at[0]
    assert at[-1] <= start + length - 1 + 1600
    assert len(at) >= length - 1600
    assert at[-1] - at[0] + 1 == len(at)


def test_a_long_clip_is_cut():
    clip = np.arange(20_000, dtype=np.float32)
    for seed in range(20):
        heard = augmentation.place(clip, RATE, generator(seed))
        np.testing.assert_array_equal(np.diff(heard), 1)


@settings(deadline=None)
@given(st.integers(0, 9), st.integers(-12, 12), st.integers(1, 9))
def test_placed_sample_by_sample(length, start, samples):
    clip = np.arange(1, length + 1, dtype=np.float32)
    expected = [clip[i - start] if 0 <= i - start < length else 0 for i in range(samples)]
    assert augmentation.placed(clip, start, samples).tolist() == expected


@pytest.mark.parametrize("speed", [0.85, 1.0, 1.15])
def test_faster_is_shorter_and_higher(speed):
    played = augmentation.stretch(sine(400, 1.0), speed)
    assert len(played) == pytest.approx(RATE / speed, abs=2)
    expected = sine(400 * speed, 1.2)[: len(played)]
    np.testing.assert_allclose(played, expected, atol=5e-3)


@settings(deadline=None)
@given(samples=st.integers(1, 300), seed=st.integers(0, 99))
def test_noise_is_a_stretch_of_a_recording_and_a_short_one_is_repeated(samples, seed):
    long, short = np.arange(200, dtype=np.int16), np.arange(500, 507, dtype=np.int16)
    found = np.rint(augmentation.crop([long, short], samples, generator(seed)) * 32768)
    source = long if found[0] < 500 else short
    assert len(found) == samples
    np.testing.assert_array_equal(np.diff(found) % len(source), 1 % len(source))
    if samples <= len(source):
        np.testing.assert_array_equal(np.diff(found), 1)


@pytest.mark.parametrize(("hertz", "kept"), [(50, 0), (250, 0), (400, 1), (3000, 1), (4000, 0)])
def test_a_band_is_all_that_passes(hertz, kept):
    tone = sine(hertz, 1.0)
    passed = augmentation.band_pass(tone, 300, 3400)
    assert passed.dtype == np.float32
    np.testing.assert_allclose(passed, kept * tone, atol=1e-3)


def test_silence_is_background_noise_at_any_level():
    rng = generator()
    heard = [augmentation.silence(NOISES[:1], 4000, rng) for _ in range(300)]
    levels = np.array([level(clip) for clip in heard])
    assert all(clip.shape == (4000,) and np.abs(clip).max() <= 1 for clip in heard)
    assert 0 < (levels == 0).mean() < 0.15  # no sound at all
    assert levels.max() > 0.9  # a hundredfold, clipped
    assert ((levels > 1e-4) & (levels < 0.05)).mean() > 0.2
    assert not augmentation.silence([], 4000, rng).any()


def test_hidden_are_two_bands_and_two_stretches_of_time():
    torch.manual_seed(0)
    clips = torch.randn(50, 1, 40, 98)
    before = clips.clone()
    seen = augmentation.hide(clips)
    assert torch.equal(clips, before)
    patterns = set()
    for clip, masked in zip(clips[:, 0], seen[:, 0], strict=True):
        hidden = clip != masked
        assert masked[hidden].numpy() == pytest.approx(clip.mean().item(), abs=1e-6)
        bands, spectra = hidden.all(1), hidden.all(0)
        assert torch.equal(hidden, bands[:, None] | spectra[None])
        assert bands.sum() <= 2 * BANDS
        assert spectra.sum() <= 2 * SPECTRA
        assert stretches(bands) <= 2
        assert stretches(spectra) <= 2
        patterns.add(hidden.numpy().tobytes())
    assert len(patterns) > 45


@pytest.mark.parametrize("frames", [1, 5, 18, 40])
def test_of_a_short_clip_half_is_left(frames):
    clips = torch.randn(50, 1, 40, frames)
    hidden = (clips != augmentation.hide(clips))[:, 0]
    assert hidden.all(1).sum(1).max() <= frames / 2


def stretches(hidden):
    return int((torch.diff(hidden.int(), prepend=torch.zeros(1, dtype=torch.int)) == 1).sum())


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6))
def test_two_words_are_joined_with_the_beginning_of_one_and_the_end_of_the_other(seed):
    first, second = sine(300, 0.8), sine(1100, 1.0, 0.01)
    joined = augmentation.join(first, second, generator(seed))
    assert joined.dtype == np.float32
    head = 0.3 * len(first)
    np.testing.assert_array_equal(joined[: int(head)], first[: int(head)])
    tail = int(0.3 * len(second))
    factor = level(joined[-tail:]) / level(second[-tail:])
    np.testing.assert_allclose(joined[-tail:], factor * second[-tail:], atol=2e-3)
    assert level(joined[-tail:]) == pytest.approx(level(joined[: int(head)]), rel=0.1)
    assert 0.6 * len(first) < len(joined) < 0.7 * (len(first) + len(second))
    assert np.abs(np.diff(joined)).max() < 0.3  # no click where they meet


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(CLIPS), st.sampled_from(CLIPS), st.integers(0, 99))
def test_any_two_clips_can_be_joined(first, second, seed):
    """Digital silence and single clicks too."""
    before = first.copy(), second.copy()
    joined = augmentation.join(first, second, generator(seed))
    assert np.isfinite(joined).all()
    assert 1 <= len(joined) <= len(first) + len(second)
    np.testing.assert_array_equal(first, before[0])
    np.testing.assert_array_equal(second, before[1])


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.integers(-9, 9), min_size=1, max_size=30).filter(any),
    st.floats(0.01, 0.99),
)
def test_the_middle_has_its_share_of_the_energy_before_it(samples, share):
    clip = np.array(samples, np.float32)
    energy = np.square(clip)
    at = augmentation.middle(clip, share)
    assert energy[:at].sum() <= share * energy.sum() + 1e-6
    assert energy[: at + 1].sum() >= share * energy.sum() - 1e-6


@given(st.integers(0, 2**32 - 1), st.integers(1, 20_000))
def test_sounds_that_are_no_word_stay_in_bounds(seed, length):
    rng = np.random.default_rng(seed)
    clip = rng.standard_normal(length).astype(np.float32)
    heard = augmentation.disturb(np.zeros(8000, np.float32), clip, rng)
    assert (heard.shape, heard.dtype) == ((8000,), np.float32)
    assert np.abs(heard).max() <= 1


def test_sounds_that_are_no_word_are_short_or_of_one_pitch():
    rng = np.random.default_rng(0)
    clip = np.arange(16_000, dtype=np.float32)
    for _ in range(200):
        assert 48 <= len(augmentation.fragment(clip, rng)) <= 960
        assert np.all(np.diff(augmentation.fragment(clip, rng)) == 1)
        assert len(augmentation.click(rng)) <= 0.11 * 16_000
        tone = augmentation.tone(rng)
        assert 800 <= len(tone) <= 16_000
        assert tone[0] == tone[-1] == 0
