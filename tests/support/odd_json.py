"""JSON that no instance should send: any shape, made of the words that mean something (Hypothesis)."""

from __future__ import annotations

from hypothesis import strategies as st

from servicenow.events import LIVE_AGENT_CHOICE

KEYS = st.sampled_from(
    [
        *("body", "userId", "clientSessionId", "clientVariables", "handoff", "interactionId", "score"),
        *("agentChat", "completed", "takeControl", "uiType", "actionType", "value", "label", "message"),
        *("options", "agentInfo", "sentFromAgent", "agentName", "agentAvatar", "messageId", "waitTime"),
        *(
            "spinnerType",
            "supportQueue",
            "data",
            "headers",
            "values",
            "content",
            "streamId",
            "streamSequence",
        ),
        *(
            "streamState",
            "citations",
            "citationHref",
            "scriptedData",
            "cardData",
            "order",
            "maskType",
            "action",
        ),
        *("multiSelect", "templateName", "progressMessages", "status", "promptMsg", "maxCount", "attachment"),
    ]
)
WORDS = st.sampled_from(
    [
        *("ActionMsg", "OutputText", "Picker", "TopicPickerControl", "System", "StartSpinner", "wait_time"),
        *(
            "OutputLink",
            "OutputImage",
            "OutputHtml",
            "OutputCard",
            "OutputTable",
            "MultiPartOutput",
            "InputText",
        ),
        *("GroupedPartsOutputControl", "StreamStart", "StreamChunk", "FileUpload", "Boolean", "Date", "END"),
        *(
            "CustomControl",
            "DynamicLoader",
            "SECURE",
            '{"title": "x", "fields": [{}]}',
            "<p>x<a href=/y>z",
            "/x",
        ),
        *("SubscribeToSupportQueue", "SwitchToLiveAgent", "SwitchToVirtualAgent", "StartTypingIndicator"),
        *(
            "true",
            "false",
            LIVE_AGENT_CHOICE,
            "There are no agents available. Please try again later.",
            "The conversation has ended. If you need help again, type hi.",
            "Dana has entered the chat.",
        ),
    ]
)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | WORDS | st.text(max_size=8)
JSON = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(KEYS | st.text(max_size=3), inner, max_size=6)
    ),
    max_leaves=25,
)

HALF = "\ud83d"  # the first half of an emoji, as JavaScript leaves it where it cuts a text
TEXTS = st.text(min_size=1, max_size=12) | st.sampled_from(
    ["a\0b", f"cut off {HALF}", "x" * 256, "🙂" * 300, "i" * 5000, "\x01\x1b[31m", "\u202eevil", "0", "-1"]
)
