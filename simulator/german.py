"""The sentences of the profile `localised`; own wordings throughout."""

from simulator.texts import Texts

GERMAN = Texts(
    greeting="Hallo, ich bin Ihr virtueller Agent. Wie kann ich Ihnen heute helfen?",
    fallback="Das habe ich nicht verstanden. Schreiben Sie Agent, um mit einem Menschen zu sprechen.",
    confirm_agent="Möchten Sie mit einem Live-Agenten sprechen?",
    live_agent_option="Live-Agent-Support.",
    stand_by="Bitte warten Sie, ich verbinde Sie mit einem Live-Agenten.",
    routing="Sie werden mit einem Live-Agenten verbunden …",
    no_agents="Zurzeit sind keine Agenten verfügbar. Bitte versuchen Sie es später noch einmal.",
    queue_closed="Die Warteschlange ist geschlossen.",
    answer_first="Bitte beantworten Sie das zuerst, damit ich Sie verbinden kann.",
    survey_done="Danke, das hilft.",
    agent_entered="{name} ist dem Chat beigetreten.",
    agent_closed="{name} hat die Support-Sitzung geschlossen.",
    transferring="{name} verbindet Sie mit {target}.",
    idle_reminder="Die Unterhaltung läuft bald ab, sind Sie noch da?",
    timed_out="Sie haben die Unterhaltung anscheinend verlassen.",
    queue_timeout="Alle unsere Agenten sind noch beschäftigt. Bitte versuchen Sie es später noch einmal.",
    topic_started="Machen wir weiter mit {topic}.",
    cannot_continue="Hier kann ich nicht weiter. Schreiben Sie Hallo, wenn Sie Hilfe brauchen.",
    conversation_ended="Die Unterhaltung ist beendet. Schreiben Sie Hallo, wenn Sie wieder Hilfe brauchen.",
    anonymous_agent="Agent",
    seconds="{wait} Sekunden",
    minutes="{wait} Minuten",
)


def localise(texts: Texts) -> Texts:
    """Return the German sentences, but for those that were set by hand."""
    return GERMAN.model_copy(update={name: getattr(texts, name) for name in texts.model_fields_set})
