"""One sentence about each mistake on the command line."""

import pytest

from command_line.parse import parse_command_line
from pipeline.errors import UserError


@pytest.mark.parametrize(
    ("argv", "sentence"),
    [
        (["--tts", "espeak,robot"], "--tts: expected one of espeak, openai, "),
        (
            ["--llm", "openai,auto"],
            "--llm: expected engines by name, or auto alone, got openai,auto",
        ),
        (
            ["--tts", "espeak,openai,openai"],
            "--tts: expected each engine at most once after the first, got espeak,openai,openai",
        ),
        (
            ["--s2s", "tone", "--stt", "moonshine", "--tts=espeak"],
            "--s2s takes the place of --stt, --llm and --tts; leave out --stt and --tts, or --s2s",
        ),
        (["--s2s", "tune"], "--s2s: expected one of openai-audio, "),
        (["--s2s", "tone,auto"], "--s2s: expected one of openai-audio, "),
        (
            ["--s2s", "tone", "--stt_language", "te"],
            "--stt_language belongs to --stt openai, --stt whisper, ",
        ),
        (
            ["--s2s", "tone", "--chat_size", "3"],
            "--chat_size is for the conversation, which --s2s tone ",
        ),
        (["--s2s", "tone,tone"], "--s2s: expected each engine once, got tone,tone; tone has no flags"),
        (["--s2s", "tone,seamless", "--failover_s2s_s", "0"], "--failover_s2s_s: expected more than 0"),
        (["--vad", "silero,energy"], "--vad: expected one of "),
        (
            ["--tts", "openai,espeak", "--tts_rate", "90"],
            "--tts_rate: espeak comes after another engine, so its flag is --tts_espeak_rate",
        ),
        (["--tts", "openai,espeak", "--failover_tts_s", "0"], "--failover_tts_s: expected more than 0"),
        (["--thresch", "0.5"], "there is no flag --thresch; the nearest is --thresh"),
        (["--tts_voise=en"], "there is no flag --tts_voise; the nearest is --tts_voice"),
        (["--thresh", "loud"], "--thresh: expected a number, got 'loud'"),
        (["--thresh", "3"], "--thresh: expected a probability between 0 and 1, got 3.0"),
        (["--sample_rate", "44100"], "--sample_rate: expected 16000 or 8000, got 44100"),
        (["--min_silence_ms", "-1"], "--min_silence_ms: expected milliseconds, 0 or more, got -1.0"),
        (["--recv_port", "70000"], "--recv_port: expected a port from 0 to 65535, got 70000"),
        (["--send_port", "12345"], "--send_port: expected a port other than recv_port, got 12345"),
        (["--mode", "telepathy"], "--mode: expected one of socket, websocket, "),
        (["--mode", "locl"], "got 'locl'; did you mean --mode local?"),
        (["--preset", "cup"], "got 'cup'; did you mean --preset cpu?"),
        (["--recv_port", "80.5"], "--recv_port: expected a whole number, got '80.5'"),
        (["--json_events", "often"], "--json_events: expected true or false, got 'often'"),
        (["--thresh"], "--thresh: expected a value, got none"),
        (["--llm", "gpt-4"], "got 'gpt-4'; did you mean --llm openai --llm_model_name gpt-4?"),
        (["--llm", "Qwen/Qwen3-4B"], "did you mean --llm transformers --llm_model_name Qwen/Qwen3-4B?"),
        (["--stt", "tiny.en"], "did you mean --stt faster-whisper --stt_model_name tiny.en?"),
        (["--tts", "af_heart"], "did you mean --tts kokoro --tts_voice af_heart?"),
        (["--tts", "kokorro"], "got 'kokorro'; did you mean --tts kokoro?"),
        (["--stt", "kokoro"], "got 'kokoro'; did you mean --tts kokoro?"),
        (["--s2s", "moshika"], "did you mean --s2s moshi --s2s_model_name moshika?"),
        (["local"], "expected a flag or a JSON file, got 'local'; did you mean --mode local?"),
        (["cpu"], "did you mean --preset cpu?"),
        (["kokoro"], "did you mean --tts kokoro?"),
        (["check"], "did you mean --check?"),
        (["--tts", "espeak", "websocket"], "got 'websocket'; did you mean --mode websocket?"),
        (["-v"], "got '-v'; did you mean --version?"),
        (["--verison"], "there is no flag --verison; the nearest is --version"),
        (
            ["--s2s_modle_name", "x"],
            "there is no flag --s2s_modle_name; the nearest is --s2s_model_name",
        ),
        (["--zzz"], "there is no flag --zzz (--help all shows all)"),
        (
            ["--s2s", "moshi", "--vad", "silero"],
            "--vad is for the detection of speech, which --s2s moshi does without",
        ),
        (["--s2s", "tone", "--isolate", "s2s,tts"], "--isolate: expected s2s or none, as --s2s does"),
        (
            ["--s2s", "moshi", "--language", "te"],
            "--language is for the choice of a language, which --s2s moshi does without",
        ),
        (
            ["--s2s", "realtime", "--reply-mode", "stream"],
            "--reply_mode stream is for turns, which --s2s realtime does without",
        ),
        (["--stt", "ears"], "--stt: expected one of moonshine, pocketsphinx, "),
        (["--llm", "brain"], "--llm: expected one of openai, openai-responses, transformers, "),
        (["--input", "x.wav"], "--input belongs to --mode file, which is not the one chosen"),
        (
            ["--stt_grammar", "x"],
            "--stt_grammar belongs to --stt pocketsphinx, which is not the one chosen",
        ),
        (["--lm_model_name", "x"], "--lm_model_name belongs to --llm transformers"),
        (["--llm", "eliza", "--llm_stream"], "--llm_stream belongs to --llm openai"),
        (["--llm_base_url", "x"], "--llm_base_url belongs to --llm openai"),
        (["--llm_gen_max_tokens", "-4"], "--llm_gen_max_tokens: expected 1 or more, got -4"),
        (["--speech_pad_ms", "inf"], "--speech_pad_ms: expected milliseconds, 0 or more, got inf"),
        (["--llm_api_key", "sk-1"], "--llm_api_key: a key does not belong on a command line"),
        (
            ["--mode", "local", "extra"],
            "expected a flag (or a JSON file in front of all flags), got 'extra'",
        ),
        (["--thre", "0.5"], "there is no flag --thre;"),
        (["nothing.json"], "nothing.json: expected a JSON file with settings: No such file"),
        (["--tts_rate", "9000"], "--tts_rate: expected 80 to 450 words a minute, got 9000"),
    ],
)
def test_a_mistake_is_one_sentence(argv: list[str], sentence: str) -> None:
    with pytest.raises(UserError) as caught:
        parse_command_line(argv)
    assert sentence in str(caught.value)
    assert "sk-1" not in str(caught.value)
