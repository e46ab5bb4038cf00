"""Dataclasses for HfArgumentParser: one for each mode, stage and engine, and mixins of shared flags.

A field is a flag. The prefix of a stage (`stt_`, `llm_`, `tts_`) is cut off on the way to the engine, so
`--stt_model_name` is `model_name` of whichever recognizer was chosen; `llm_gen_*` become its generation
arguments. Flags that several engines share are mixins, in `recognizer_flags`, `chat_model_flags`,
`synthesizer_flags` and, for the modes, `access_flags`; `flag_texts` has the help that stages share.
"""
