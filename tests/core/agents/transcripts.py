"""What each coding agent was seen to print: on success, and without a login.

Versions are those of presets.toml; cursor's is from its documents.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from loreley.core.budget import Usage


@dataclass(frozen=True, slots=True)
class Seen:
    """One run: streams, exit code, and what is to be read from it."""

    stdout: str = ""
    stderr: str = ""
    exit_code: int = 0
    usage: Usage = field(default_factory=Usage)
    says: str = ""


SUCCESS: Mapping[str, Seen] = {
    "claude": Seen(
        '{"type":"system","subtype":"init","cwd":"/w","tools":["Bash","Edit"],"model":"opus"}\n'
        '{"type":"assistant","message":{"content":[{"type":"text","text":"Sort it."}],'
        '"usage":{"input_tokens":1000,"output_tokens":1}}}\n'
        '{"type":"result","subtype":"success","is_error":false,"num_turns":1,'
        '"result":"Sort it.","total_cost_usd":0.00625,"usage":{"input_tokens":900,'
        '"cache_creation_input_tokens":40,"cache_read_input_tokens":60,"output_tokens":50},'
        '"terminal_reason":"completed"}\n',
        usage=Usage(1000, 50, 60, 0.00625),
    ),
    "codex": Seen(
        '{"type":"thread.started","thread_id":"01"}\n{"type":"turn.started"}\n'
        '{"type":"error","message":"Reconnecting... 2/5 (stream disconnected)"}\n'
        '{"type":"item.completed","item":{"id":"item_0","type":"agent_message",'
        '"text":"Sort it."}}\n'
        '{"type":"turn.completed","usage":{"input_tokens":1000,"cached_input_tokens":100,'
        '"output_tokens":50,"reasoning_output_tokens":10}}\n',
        usage=Usage(1000, 50, 100),
    ),
    "gemini": Seen(
        '{"type":"init","session_id":"s","model":"gemini-2.5-pro"}\n'
        '{"type":"message","role":"user","content":"the brief"}\n'
        '{"type":"message","role":"assistant","content":"Sort it.","delta":true}\n'
        '{"type":"result","status":"success","stats":{"total_tokens":1050,"input_tokens":1000,'
        '"output_tokens":50,"cached":0,"input":1000,"tool_calls":0}}\n',
        "YOLO mode is enabled. All tool calls will be automatically approved.\n",
        usage=Usage(1000, 50),
    ),
    "qwen": Seen(
        '{"type":"system","subtype":"init","model":"stub"}\n'
        '{"type":"assistant","message":{"content":[{"type":"text","text":"Sort it."}]}}\n'
        '{"type":"result","subtype":"success","is_error":false,"result":"Sort it.",'
        '"usage":{"input_tokens":2000,"output_tokens":100,"cache_read_input_tokens":0}}\n',
        usage=Usage(2000, 100),
    ),
    "opencode": Seen(
        '{"type":"step_start","part":{"type":"step-start"}}\n'
        '{"type":"step_finish","part":{"reason":"tool-calls","tokens":{"input":1000,"output":40,'
        '"reasoning":10,"cache":{"write":0,"read":0}},"cost":0.25}}\n'
        '{"type":"text","part":{"type":"text","text":"Sort it."}}\n'
        '{"type":"step_finish","part":{"reason":"stop","tokens":{"input":100,"output":50,'
        '"reasoning":0,"cache":{"write":0,"read":900}},"cost":0.5}}\n',
        usage=Usage(2000, 100, 900, 0.75),
    ),
    "copilot": Seen(
        '{"type":"assistant.message_delta","data":{"deltaContent":"All"},"ephemeral":true}\n'
        '{"type":"assistant.message","data":{"content":"Sort it.","toolRequests":[]}}\n'
        '{"type":"result","exitCode":0,"usage":{"premiumRequests":1,"totalApiDurationMs":79}}\n',
    ),
    "pi": Seen(
        '{"type":"session","version":3}\n{"type":"turn_start"}\n'
        '{"type":"turn_end","message":{"role":"assistant","content":[{"type":"toolCall","id":"1"}],'
        '"usage":{"input":600,"output":40,"cacheRead":400,"cacheWrite":0,"cost":{"total":0.25}},'
        '"stopReason":"toolUse"}}\n'
        '{"type":"message_end","message":{"role":"assistant","content":[{"type":"text",'
        '"text":"Sort it."}],"stopReason":"stop"}}\n'
        '{"type":"turn_end","message":{"role":"assistant","content":[{"type":"text",'
        '"text":"Sort it."}],"usage":{"input":900,"output":60,"cacheRead":100,"cacheWrite":0,'
        '"cost":{"total":0.5}},"stopReason":"stop"}}\n{"type":"agent_end","messages":[]}\n',
        usage=Usage(2000, 100, 500, 0.75),
    ),
    "cursor": Seen(
        '{"type":"system","subtype":"init","model":"m"}\n'
        '{"type":"result","subtype":"success","is_error":false,"result":"Sort it."}\n',
    ),
    "goose": Seen(
        '{"type":"message","message":{"role":"assistant","content":[{"type":"text",'
        '"text":"Sort it."}]}}\n'
        '{"type":"complete","total_tokens":1050,"input_tokens":1000,"output_tokens":50}\n',
        usage=Usage(1000, 50),
    ),
    "aider": Seen(
        "Aider v0.86.2\nModel: openai/stub with whole edit format\n\nApplied edit to a.py\n"
        "Tokens: 1.0k sent, 900 cache hit, 50 received. Cost: $0.02 message, $0.02 session.\n"
        "Sort it.\n",
        "Warning: Input is not a terminal (fd=0).\n",
        usage=Usage(1900, 50, 900, 0.02),
    ),
    "cline": Seen(
        '{"type":"agent_event","event":{"type":"usage","inputTokens":1000,"outputTokens":50}}\n'
        '{"type":"agent_event","event":{"type":"done","reason":"completed","text":"Sort it."}}\n'
        '{"type":"run_result","finishReason":"completed","iterations":2,"usage":{'
        '"inputTokens":1900,"outputTokens":100,"cacheReadTokens":100,"cacheWriteTokens":0,'
        '"totalCost":0},"text":"Sort it."}\n',
        usage=Usage(2000, 100, 100),
    ),
    "kimi": Seen(
        '{"role":"meta","type":"system.version","version":"2.1.0"}\n'
        '{"role":"assistant","tool_calls":[{"type":"function","id":"c"}]}\n'
        '{"role":"tool","tool_call_id":"c","content":"Wrote 15 bytes to a.py"}\n'
        '{"role":"assistant","content":"Sort it."}\n'
        '{"role":"meta","type":"session.resume_hint","session_id":"s"}\n',
    ),
    "droid": Seen(
        '{"type":"system","subtype":"init","cwd":"/w","tools":["Read"],"model":"custom:m"}\n'
        '{"type":"message","role":"assistant","text":"Sort it."}\n'
        '{"type":"completion","finalText":"Sort it.","numTurns":3,"usage":{"input_tokens":900,'
        '"output_tokens":50,"cache_read_input_tokens":100,"cache_creation_input_tokens":0,'
        '"factory_credits":0}}\n',
        usage=Usage(1000, 50, 100),
    ),
    "continue": Seen('{"response":"Sort it.","status":"success","note":"was not valid JSON"}\n'),
    "mini-swe-agent": Seen(
        "This is mini-swe-agent version 2.4.6.\nmini-swe-agent (step 1, $0.01):\n```\ncat a\n```\n"
        "mini-swe-agent (step 2, $0.03):\n```\necho COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT\n```\n"
        "Exit:\nSort it.\n",
        "Warning: Input is not a terminal (fd=0).\n",
        usage=Usage(dollars=0.03),
    ),
}

NOT_LOGGED_IN: Mapping[str, Seen] = {
    "claude": Seen(
        '{"type":"result","subtype":"success","is_error":true,"result":"Not logged in · '
        'Please run /login","total_cost_usd":0,"usage":{"input_tokens":0,"output_tokens":0}}\n',
        exit_code=1,
        says="Not logged in · Please run /login",
    ),
    "codex": Seen(
        '{"type":"turn.started"}\n'
        '{"type":"error","message":"Reconnecting... 5/5"}\n'
        '{"type":"turn.failed","error":{"message":"unexpected status 401 Unauthorized"}}\n',
        exit_code=1,
        says="unexpected status 401 Unauthorized",
    ),
    "gemini": Seen(
        stderr="YOLO mode is enabled. All tool calls will be automatically approved.\n"
        "Please set an Auth method in your /h/.gemini/settings.json or specify one of the "
        "following environment variables before running: GEMINI_API_KEY\n",
        exit_code=41,
        says="Please set an Auth method",
    ),
    "qwen": Seen(
        '{"type":"result","subtype":"error_during_execution","is_error":true,'
        '"usage":{"input_tokens":0,"output_tokens":0},'
        '"error":{"message":"No auth type is selected."}}\n',
        exit_code=1,
        says="No auth type is selected.",
    ),
    "copilot": Seen(
        stderr="Error: No authentication information found.\n\nCopilot can be authenticated with "
        "GitHub using an OAuth Token or a Fine-Grained Personal Access Token.\n",
        exit_code=1,
        says="No authentication information found.",
    ),
    "pi": Seen(
        '{"type":"turn_end","message":{"role":"assistant","content":[],"stopReason":"error",'
        '"errorMessage":"401 Incorrect API key provided"}}\n{"type":"agent_end","messages":[]}\n',
        says="401 Incorrect API key provided",
    ),
    "aider": Seen(
        "Aider v0.86.2\nlitellm.AuthenticationError: AuthenticationError: OpenAIException - "
        "Incorrect API key provided\nThe API provider is not able to authenticate you.\n",
        says="not able to authenticate you",
    ),
}
