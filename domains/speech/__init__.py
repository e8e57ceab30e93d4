"""Speech: from a waveform to a word, with filters that move over the spectrogram."""
