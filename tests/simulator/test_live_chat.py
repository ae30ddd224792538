from simulator import EndReason, Sender, State

ROUTED = ["OutputText", "StartSpinner", "SubscribeToSupportQueue", "SubscribeToChatPresence"]
START = {"live_agent_only": "true"}


def kinds(body):
    return [item.get("actionType") or item["uiType"] for item in body["body"]]


async def test_a_whole_handoff(client, simulator, receiver):
    await client.send(
        "START_CONVERSATION",
        requestId="r1",
        clientSessionId="c1",
        contextVariables=START,
        message={"text": ""},
    )
    chat = await simulator.wait_for_state("u1", State.QUEUED)
    await simulator.accept("u1", agent="Dana")
    await client.send(text="My VPN is down", requestId="r2", clientSessionId="c1")
    await simulator.type(chat, on=True)
    message_id = await simulator.say(chat, "Let me look")
    await simulator.end(chat)
    routed, accepted, typing, stopped, said, closed, switched = await receiver.wait(7)

    assert kinds(routed) == [
        "OutputText",
        "StartSpinner",
        "SubscribeToSupportQueue",
        "SubscribeToChatPresence",
    ]
    assert routed["agentChat"] is True
    assert kinds(accepted) == ["SwitchToLiveAgent", "EndSpinner", "System"]
    assert accepted["body"][2]["message"] == "Dana has entered the chat."
    assert kinds(typing) == ["StartTypingIndicator"]
    assert kinds(stopped) == ["EndTypingIndicator"]
    assert said["body"][0]["value"] == "Let me look"
    assert said["body"][0]["messageId"] == message_id
    assert said["body"][0]["agentInfo"]["agentName"] == "Dana"
    assert said["body"][0]["agentInfo"]["sentFromAgent"] is True
    assert said["requestId"] == "r2"
    assert closed["body"][0]["message"] == "Dana has closed the support session."
    assert "completed" not in closed
    assert kinds(switched) == ["SwitchToVirtualAgent"]
    assert switched["completed"] is True
    assert "agentChat" not in switched
    assert chat.state is State.ENDED
    assert chat.end_reason is EndReason.AGENT_ENDED
    assert [entry.text for entry in chat.transcript if entry.sender is Sender.REQUESTER] == ["My VPN is down"]
