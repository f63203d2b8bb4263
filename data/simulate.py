"""Simulated recordings of animal song, with annotations, to try `dss` on.

    python data/simulate.py [--out DIR]

writes three small data folders, the same bytes every time:

- `finch/`: zebra finch song, syllable types `a` to `f` (segments). Introductory notes, calls and
  cage noise are not annotated.
- `fly/`: fly courtship song, `pulse` (events) and `sine` (segments). Clicks, footsteps and wing
  flicks are not annotated. One recording has no sine; a row without times says so.
- `fly_channels/`: the same from three microphones. The fly walks from one to another.

All sounds are synthetic, all numbers set by hand: no recording of an animal is used.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from scipy import interpolate, signal

SEED = 20190122
FINCH_HZ = 20_000  # sample rates
FLY_HZ = 4_000


@dataclass
class Sound:
    """A sound, or several in sequence."""

    wave: np.ndarray  # [samples]
    start_seconds: float  # where in `wave` one hears it begin
    stop_seconds: float  # and end
    annotations: list  # (name, start_seconds, stop_seconds); none if nobody annotates it


def main():
    """Write all data folders."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--out", type=Path, default=Path(__file__).parent, help="parent folder")
    out = parser.parse_args().out
    # each recording has its own random numbers, so that one can change without the others
    for i in range(8):
        recording = finch_recording(np.random.default_rng([SEED, 0, i]))
        save(out / "finch" / f"bird1_{i + 1:02}", FINCH_HZ, *recording, names="abcdef")
    for i in range(6):
        recording = fly_recording(20.5, i != 3, 1, np.random.default_rng([SEED, 1, i]))
        save(out / "fly" / f"fly{i + 1}", FLY_HZ, *recording, names=("pulse", "sine"))
    for i in range(2):
        recording = fly_recording(14.5, True, 3, np.random.default_rng([SEED, 2, i]))
        save(out / "fly_channels" / f"fly{i + 7}", FLY_HZ, *recording, names=("pulse", "sine"))


def save(stem, rate_hz, x, annotations, names):
    """Write `STEM.wav`, `STEM_annotations.csv`; x: [samples, channels], names: looked for."""
    stem.parent.mkdir(parents=True, exist_ok=True)
    # loud cage noise overdrives the microphone, as it does in an aviary
    soundfile.write(f"{stem}.wav", np.clip(x, -1, 1), rate_hz, subtype="PCM_16")
    not_found = sorted(set(names) - {name for name, _, _ in annotations})
    rows = sorted(annotations, key=lambda row: row[1]) + [(n, np.nan, np.nan) for n in not_found]
    lines = [f"{name},{start:.5f},{stop:.5f}\n" for name, start, stop in rows]
    text = "name,start_seconds,stop_seconds\n" + "".join(lines)
    Path(f"{stem}_annotations.csv").write_text(text, newline="\n")


# --- zebra finch


def finch_recording(rng):
    """Two or three bouts among calls and cage noise: x [samples, 1], annotations."""
    pitch, tempo = vary(0.008, rng), vary(0.03, rng)
    nb_motifs = [[3, 3], [2, 4], [1, 2, 3], [4, 2]][rng.integers(4)]
    sounds = [bout(n, pitch, tempo, rng) for n in nb_motifs]
    for call in ("distance call", "distance call", "tet", "tet", "tet", "squeak"):
        sounds.append(vocalise(call, pitch * vary(0.02, rng), vary(0.1, rng), rng))
    sounds += [wing_flutter(rng) for _ in range(rng.integers(1, 3))]
    x, annotations = scatter(sounds, rng.uniform(8.0, 8.6), 0.1, FINCH_HZ, rng)
    for start in rng.integers(0.9 * len(x), size=12):  # these do not wait for silence
        wave = knock(rng)
        x[start : start + len(wave)] += wave
    echo = 0.006 * rng.normal(size=1200) * np.exp(-np.arange(1200) / 240)
    echo[rng.integers(40, 400, 3)] += rng.uniform(-0.12, 0.12, 3)  # walls of a small room
    x = rng.uniform(0.75, 1.1) * (x + signal.fftconvolve(x, echo)[: len(x)])
    hiss = rng.uniform(0.007, 0.012) * noise(len(x), 200, 3500, FINCH_HZ, rng)
    rumble = rng.uniform(0.008, 0.014) * noise(len(x), 20, 200, FINCH_HZ, rng)
    x += (hiss + rumble) * 10 ** (0.15 * wander(len(x), 1, FINCH_HZ, rng))
    return x[:, None], annotations


def bout(nb_motifs, pitch, tempo, rng):
    """Introductory notes, then motifs `abcdef`; now and then the last one breaks off."""
    sounds, gaps_seconds = [], []
    for _ in range(rng.integers(2, 6)):
        sounds.append(vocalise("introductory note", pitch * vary(0.03, rng), vary(0.08, rng), rng))
        gaps_seconds.append(rng.uniform(0.05, 0.14))
    for i in range(nb_motifs):
        breaks_off = 0 < i == nb_motifs - 1 and rng.random() < 0.2
        for k in range(rng.integers(3, 6) if breaks_off else 6):
            sounds.append(vocalise("abcdef"[k], pitch * vary(0.008, rng), tempo, rng))
            gap_seconds = (0.022, 0.014, 0.034, 0.018, 0.046, 0.055)[k] * vary(0.12, rng)
            gaps_seconds.append(np.clip(gap_seconds, 0.01, 0.06))
    return join(sounds, gaps_seconds[:-1], FINCH_HZ)


def vocalise(name, pitch, tempo, rng):
    """One rendition of a syllable (annotated), note or call (not annotated): a Sound."""
    voice, duration_seconds, level = {
        "a": (sweep(655, 615, 3, (1300, 500, 0.5), (3700, 1100, 1), (6800, 900, 0.3)), 0.08, 0.5),
        "b": (sweep(2400, 1150, 0.7, (2400, 1100, 1), (5200, 1500, 0.5)), 0.065, 0.65),
        "c": (noisy_syllable, 0.095, 0.5),
        "d": (sweep(4900, 5800, 1.5, (5300, 1500, 1)), 0.05, 0.4),
        "e": (trill, 0.115, 0.5),
        "f": (two_part_syllable, 0.155, 0.5),
        "introductory note": (sweep(900, 470, 0.7, (1500, 500, 0.3), (3600, 1300, 1)), 0.05, 0.27),
        # sounds that share their band with the syllables: with `a`, the first part of `f`, and `d`
        "distance call": (sweep(600, 460, 4, (3200, 1300, 1), (6000, 1000, 0.3)), 0.17, 0.5),
        "tet": (sweep(480, 410, 1, (1000, 400, 0.6), (2800, 900, 1)), 0.055, 0.25),
        "squeak": (sweep(4300, 4450, 2, (4500, 900, 1), (9000, 700, 0.3)), 0.2, 0.13),
    }[name]
    t = progress(duration_seconds * tempo * vary(0.025, rng), FINCH_HZ)
    wave = voice(t, pitch, rng) * ramps(t, 0.35, 0.45)
    return heard(wave, level * vary(0.15, rng), FINCH_HZ, name if name in "abcdef" else None)


def sweep(from_hz, to_hz, bend, *formants):
    """A voice, that is, t [samples] from 0 to 1, pitch (a factor), rng -> wave [samples]."""

    def voice(t, pitch, rng):
        return harmonics(pitch * (from_hz + (to_hz - from_hz) * t**bend), formants, rng)

    return voice


def noisy_syllable(t, pitch, rng):
    """Type `c`: broadband and rough, over a stack too irregular to have a pitch."""
    f0_hz = pitch * 430 * (1 + 0.12 * wander(len(t), 0.004, FINCH_HZ, rng))
    stack = harmonics(f0_hz, ((2700, 900, 0.7), (5000, 1800, 1)), rng)
    hiss = noise(len(t), 2200 * pitch, 7000, FINCH_HZ, rng)
    return (stack / np.std(stack) + hiss) * (0.5 + 0.5 * np.cos(8 * t) ** 2)


def trill(t, pitch, rng):
    """Type `e`: the frequency goes up and down fast."""
    f0_hz = pitch * (2100 - 250 * t + 430 * np.sin(2 * np.pi * 4.2 * t))
    return harmonics(f0_hz, ((2300, 1000, 1), (4600, 1000, 0.3)), rng)


def two_part_syllable(t, pitch, rng):
    """Type `f`: begins much like `a`, then drops to a low, buzzing stack."""
    drop = 1 / (1 + np.exp(-(t - 0.42) / 0.015))
    f0_hz = pitch * (655 * (1 - drop) + (470 - 70 * t) * drop)
    first = harmonics(f0_hz, ((1300, 500, 0.5), (3500, 1100, 1)), rng) * (1 - drop)
    second = harmonics(f0_hz, ((2600, 700, 1), (4600, 600, 0.6), (7200, 600, 0.3)), rng) * drop
    return (first + second) * (1 - 0.75 * np.exp(-(((t - 0.42) / 0.06) ** 2)))


def harmonics(f0_hz, formants, rng):
    """Harmonics of f0_hz [samples] under formants `(centre_hz, width_hz, gain)`: [samples]."""
    f0_hz = f0_hz * (1 + 0.003 * wander(len(f0_hz), 0.01, FINCH_HZ, rng))
    phase = 2 * np.pi * np.cumsum(f0_hz) / FINCH_HZ
    top_hz = 0.47 * FINCH_HZ  # what lies higher would fold back
    wave = 0.02 * noise(len(f0_hz), 1000, 7000, FINCH_HZ, rng)  # breath
    for k in range(1, int(top_hz / f0_hz.min()) + 1):
        envelope = 0.03 + sum(g * np.exp(-(((k * f0_hz - c) / w) ** 2)) for c, w, g in formants)
        envelope *= 10 ** (0.2 * wander(len(f0_hz), 0.02, FINCH_HZ, rng))
        wave += (k * f0_hz < top_hz) * envelope * np.sin(k * phase + k)
    return wave


def wing_flutter(rng):
    """Wing beats, broadband and some 25 a second, over puffs of air: a Sound."""
    t = progress(rng.uniform(0.2, 0.5), FINCH_HZ)
    beats = np.sin(2 * np.pi * 25 * vary(0.1, rng) * len(t) / FINCH_HZ * t).clip(0) ** 3
    beats *= 10 ** (0.3 * wander(len(t), 0.04, FINCH_HZ, rng))
    puffs = 0.7 * noise(len(t), 15, 120, FINCH_HZ, rng)
    wave = beats * noise(len(t), 200, 3000, FINCH_HZ, rng) + puffs
    return heard(wave * ramps(t, 0.2, 0.4), rng.uniform(0.3, 0.8), FINCH_HZ)


def knock(rng):
    """A claw or beak on the wire of the cage, or a landing on the perch: [samples]."""
    t = progress(0.1, FINCH_HZ)
    if rng.random() < 0.5:
        wave = np.exp(-t * rng.uniform(30, 150)) * rng.uniform(-1, 1, len(t))
    else:
        wave = 0.6 * np.exp(-6 * t) * np.sin(2 * np.pi * rng.uniform(7, 17) * t)
    return rng.uniform(0.1, 0.7) * wave


# --- fly


def fly_recording(duration_seconds, has_sine, nb_channels, rng):
    """Bouts of song among other noises of a fly: x [samples, channels], annotations."""
    nb_bouts = round(duration_seconds / (3.2 if has_sine else 2.5))
    levels = np.geomspace(0.06, 0.3, nb_bouts)  # from hardly above the noise to clear
    sounds = [fly_bout(level, has_sine, rng) for level in levels]
    sounds += [footstep(rng) for _ in range(int(duration_seconds))]
    sounds += [wing_flick(rng) for _ in range(int(duration_seconds / 5))]
    song, annotations = scatter(sounds, duration_seconds, 0.08, FLY_HZ, rng)
    song[rng.integers(len(song), size=6)] += rng.normal(0, 0.15, 6)  # electric clicks
    # the microphones stand in a row, 1 apart; the fly walks along it
    place = (nb_channels - 1) * (0.5 + wander(len(song), 3, FLY_HZ, rng) / 2)
    radians = 2 * np.pi * np.arange(len(song)) / FLY_HZ
    x = np.zeros((len(song), nb_channels))
    for channel in range(nb_channels):
        hiss = rng.uniform(0.003, 0.006) * noise(len(song), 20, 900, FLY_HZ, rng)
        rumble = rng.uniform(0.005, 0.01) * noise(len(song), 3, 35, FLY_HZ, rng)
        loudness = 10 ** (0.15 * wander(len(song), 2, FLY_HZ, rng))
        hum = sum(rng.uniform(0, 0.001) * np.sin(f * radians + f) for f in (50, 100, 150, 250))
        near = np.exp(-((place - channel) ** 2) / 0.9)
        x[:, channel] = song * near + (hiss + rumble) * loudness + hum
    return x, annotations


def fly_bout(level, has_sine, rng):
    """Pulse trains and sine in turn, without overlap. level: peak of the loudest pulse."""
    sounds, is_sine = [], has_sine and rng.random() < 0.4
    for _ in range(rng.integers(2, 5) if has_sine else 2):
        sounds.append(sine(level, rng) if is_sine else pulse_train(level * vary(0.15, rng), rng))
        is_sine = has_sine and not is_sine
    # a fly changes between the two at once; between two trains it pauses
    shortest, longest = (0.025, 0.1) if has_sine else (0.15, 0.4)
    return join(sounds, rng.uniform(shortest, longest, len(sounds) - 1), FLY_HZ)


def pulse_train(level, rng):
    """Pulses some 35 ms apart that grow and fall, of one mode or changing to the other."""
    nb_pulses = int(np.clip(rng.lognormal(2.45, 0.5), 3, 30))
    is_slow = rng.random() < 0.6
    change = rng.integers(nb_pulses) if rng.random() < 0.3 else nb_pulses
    phase = rng.choice([0, np.pi]) + rng.normal(0, 0.5)  # how the fly faces the microphone
    peaks = level * np.sin(np.pi * (np.arange(nb_pulses) + 0.8) / (nb_pulses + 0.6)) ** 0.6
    pulses = [pulse(peaks[i], is_slow == (i < change), phase, rng) for i in range(nb_pulses)]
    intervals_seconds = rng.normal(rng.uniform(0.033, 0.037), 0.0025, nb_pulses - 1)
    intervals_seconds[rng.random(nb_pulses - 1) < 0.04] *= 2  # the wing misses a beat
    return join(pulses, intervals_seconds.clip(0.025), FLY_HZ)


def pulse(peak, is_slow, phase, rng):
    """One pulse of two or three cycles: an event at the peak of its energy."""
    frequency_hz = rng.normal(215, 12) if is_slow else rng.normal(305, 18)
    t = np.arange(-0.015, 0.015, 1 / FLY_HZ)  # seconds
    width_seconds = (0.45 if is_slow else 0.55) / frequency_hz * vary(0.12, rng)
    skew = 0.2 if is_slow else -0.2  # slow pulses swell and stop, fast ones start and ring
    envelope = np.exp(-((t / width_seconds / (1 - skew * np.sign(t))) ** 2) / 2)
    cycles = frequency_hz * t * (1 - 8 * t)  # the wing slows down
    wave = envelope * np.cos(2 * np.pi * cycles + phase + rng.normal(0, 0.35))
    wave *= max(peak * vary(0.1, rng), 0.028) / np.abs(wave).max()
    at_seconds = np.argmax(np.abs(signal.hilbert(wave))) / FLY_HZ
    return Sound(wave, at_seconds, at_seconds, [("pulse", at_seconds, at_seconds)])


def sine(level, rng):
    """A hum that drifts, swells and ends softly: a Sound."""
    duration_seconds = np.clip(rng.lognormal(-0.35, 0.5), 0.35, 2)
    t = progress(duration_seconds, FLY_HZ)
    f0_hz = rng.normal(150, 6) + 14 * wander(len(t), 0.3, FLY_HZ, rng)
    phase = 2 * np.pi * np.cumsum(f0_hz.clip(130, 170)) / FLY_HZ
    gains = (1, rng.uniform(0.05, 0.3), rng.uniform(0.02, 0.2), rng.uniform(0, 0.08))
    wave = sum(gain * np.sin((k + 1) * phase + k) for k, gain in enumerate(gains))
    wave *= 10 ** (0.15 * wander(len(t), 0.2, FLY_HZ, rng))
    rise, fall = rng.uniform(0.05, 0.12, 2) / duration_seconds
    peak = np.clip(0.3 * level, 0.028, 0.06) * vary(0.15, rng)
    return heard(wave * ramps(t, rise, fall), peak, FLY_HZ, "sine")


def footstep(rng):
    """A knock on the floor, duller or sharper than a pulse: a Sound."""
    cycles = rng.choice([rng.uniform(1.2, 2.2), rng.uniform(11, 24)]) * progress(0.02, FLY_HZ)
    wave = np.exp(-rng.uniform(1.2, 2.5) * cycles) * np.sin(2 * np.pi * cycles)
    return heard(wave, rng.uniform(0.02, 0.12), FLY_HZ)


def wing_flick(rng):
    """A burst of broadband noise: a Sound."""
    t = progress(rng.uniform(0.02, 0.09), FLY_HZ)
    wave = noise(len(t), 120, 1500, FLY_HZ, rng) * ramps(t, 0.1, 0.7)
    return heard(wave, rng.uniform(0.05, 0.25), FLY_HZ)


def heard(wave, peak, rate_hz, name=None):
    """Scale a wave [samples]; mark, and annotate if named, where one hears it begin and end."""
    window = np.hanning(0.004 * rate_hz if rate_hz == FINCH_HZ else 0.01 * rate_hz)
    envelope = np.convolve(np.abs(signal.hilbert(wave)), window, mode="same")
    loud = np.flatnonzero(envelope > 0.08 * envelope.max()) / rate_hz
    annotations = [(name, loud[0], loud[-1])] if name else []
    return Sound(wave * peak / np.abs(wave).max(), loud[0], loud[-1], annotations)


def join(sounds, gaps_seconds, rate_hz):
    """One sound after another; a gap is from where one stops to where the next starts."""
    wave, annotations = sounds[0].wave, list(sounds[0].annotations)
    stop_seconds = sounds[0].stop_seconds
    for sound, gap in zip(sounds[1:], gaps_seconds, strict=True):
        start = max(0, round((stop_seconds + gap - sound.start_seconds) * rate_hz))
        wave = np.pad(wave, (0, max(0, start + len(sound.wave) - len(wave))))
        wave[start : start + len(sound.wave)] += sound.wave
        by = start / rate_hz
        annotations += [(name, on + by, off + by) for name, on, off in sound.annotations]
        stop_seconds = by + sound.stop_seconds
    return Sound(wave, sounds[0].start_seconds, stop_seconds, annotations)


def scatter(sounds, duration_seconds, shortest_seconds, rate_hz, rng):
    """Sounds in random order with random gaps: x [samples], annotations."""
    used_seconds = sum(s.stop_seconds - s.start_seconds + shortest_seconds for s in sounds)
    spare_seconds = duration_seconds - used_seconds - shortest_seconds
    assert spare_seconds > 0, "the recording is too short for its sounds"
    gaps = shortest_seconds + spare_seconds * rng.dirichlet(np.full(len(sounds) + 1, 1.5))
    edge = Sound(np.zeros(1), 0, 0, [])
    order = rng.permutation(len(sounds))
    recording = join([edge, *(sounds[i] for i in order), edge], gaps, rate_hz)
    return recording.wave, recording.annotations


def vary(spread, rng):
    """A factor around 1, never far off."""
    return np.exp(spread * np.clip(rng.normal(), -2, 2))


def progress(duration_seconds, rate_hz):
    """From 0 to 1 in the time given: [samples]."""
    return np.linspace(0, 1, int(duration_seconds * rate_hz))


def ramps(t, rise, fall):
    """Soft start and end, given as fractions of the sound; t: [samples] from 0 to 1."""
    return np.sin(np.pi / 2 * np.minimum(t / rise, (1 - t) / fall).clip(0, 1)) ** 2


def wander(nb_samples, period_seconds, rate_hz, rng):
    """A smooth random course within -1..1 that may turn every `period_seconds`: [samples]."""
    t = np.arange(nb_samples) / (period_seconds * rate_hz)
    knots = np.arange(int(t[-1]) + 3)
    return interpolate.PchipInterpolator(knots, rng.uniform(-1, 1, len(knots)))(t)


def noise(nb_samples, low_hz, high_hz, rate_hz, rng):
    """Noise in a band with slow flanks, standard deviation 1: [samples]."""
    band = signal.butter(1, (low_hz, high_hz), "bandpass", fs=rate_hz, output="sos")
    x = signal.sosfilt(band, rng.normal(size=nb_samples))
    return x / np.std(x)


if __name__ == "__main__":
    main()
