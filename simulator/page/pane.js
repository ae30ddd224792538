// One conversation on the screen. Several stand side by side.

import { about, attach } from "./calls.js";
import { fillLine, historyLine, newLine } from "./lines.js";
import { offerExamples } from "./rich.js";
import { element, put, standing, title } from "./words.js";

const TYPING_EVERY = 3000; // ms between two "typing" calls
const TYPING_ENDS = 4000; // ms without a key until "typing" is over
const QUICK_ANSWERS = [
  "Hello, this is {name}. How can I help you?",
  "One moment, please, I am looking into it.",
  "Could you send me a screenshot?",
  "Is there anything else I can do for you?",
];
const drafts = new Map(); // chat id -> answer not sent yet

export class Pane {
  /** `desk` has agentName(), close(pane), transfer(id) and chat(id). */
  constructor(id, desk) {
    this.id = id;
    this.desk = desk;
    this.node = document.getElementById("pane").content.firstElementChild.cloneNode(true);
    this.wantsFocus = false;
    this.typed = { told: 0, timer: 0, on: false };
    this.followsEnd = true;
    this.part("who").id = `who-${id}`;
    this.node.setAttribute("aria-labelledby", `who-${id}`);
    this.part("text").value = drafts.get(id) ?? "";
    this.fillQuickAnswers();
    offerExamples(this.part("example"), id);
    this.listen();
  }

  part(name) {
    return this.node.querySelector(`.${name}`);
  }

  // ---- what the agent does ----

  listen() {
    const text = this.part("text");
    const scroll = this.part("scroll");
    scroll.onscroll = () => { this.followsEnd = scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < 80; };
    const sizes = new ResizeObserver(() => this.follow());
    sizes.observe(scroll);
    sizes.observe(this.part("transcript"));
    this.part("accept").onclick = () => this.accept();
    this.part("give-back").onclick = () => about(this.id, "give-back");
    this.part("transfer").onclick = () => this.desk.transfer(this.id);
    this.part("end").onclick = () => this.end();
    this.part("close").onclick = () => this.desk.close(this);
    this.part("answer").onsubmit = (event) => this.send(event);
    text.oninput = () => this.key();
    text.onblur = () => this.stopTyping();
    text.onkeydown = (event) => {
      if (event.key === "Enter" && !event.shiftKey && !event.isComposing) this.send(event);
    };
    this.part("attach").onclick = () => this.part("file").click();
    this.part("file").onchange = (event) => this.sendFiles(event.target);
    this.part("quick").onchange = (event) => this.useQuickAnswer(event.target);
  }

  accept() {
    this.wantsFocus = true;
    const offered = this.desk.chat(this.id)?.transfer?.to_agent;
    about(this.id, "accept", { agent: offered ?? this.desk.agentName() });
  }

  end() {
    this.part("who").focus(); // the button is about to go
    about(this.id, "end");
  }

  async send(event) {
    event?.preventDefault();
    const box = this.part("text");
    const text = box.value;
    if (!text.trim()) return;
    box.value = "";
    drafts.delete(this.id);
    this.forgetTyping();
    if (!(await about(this.id, "say", { text })) && !box.value) box.value = text;
  }

  async sendFiles(input) {
    for (const file of input.files) await attach(this.id, file);
    input.value = "";
  }

  fillQuickAnswers() {
    const options = QUICK_ANSWERS.map((text) => element("option", "", text.replace("{name}", this.desk.agentName())));
    this.part("quick").replaceChildren(element("option", "", "Quick answers…"), ...options);
  }

  useQuickAnswer(select) {
    const box = this.part("text");
    if (select.selectedIndex > 0) box.value = [box.value.trim(), select.value].filter(Boolean).join(" ");
    select.selectedIndex = 0;
    box.focus();
    this.key();
  }

  key() {
    if (!this.part("text").value) return this.stopTyping();
    if (Date.now() - this.typed.told > TYPING_EVERY) {
      this.typed.told = Date.now();
      this.typed.on = true;
      about(this.id, "typing", { on: true });
    }
    clearTimeout(this.typed.timer);
    this.typed.timer = setTimeout(() => this.stopTyping(), TYPING_ENDS);
  }

  stopTyping() {
    const on = this.typed.on;
    this.forgetTyping();
    if (on && this.desk.chat(this.id)?.state === "LIVE") about(this.id, "typing", { on: false });
  }

  forgetTyping() {
    clearTimeout(this.typed.timer);
    this.typed.on = false;
    this.typed.told = 0;
  }

  /** Leave the screen; a draft is kept. */
  leave() {
    const text = this.part("text").value;
    if (text) drafts.set(this.id, text);
    else drafts.delete(this.id);
    this.stopTyping();
    this.node.remove();
  }

  // ---- drawing ----

  draw(chat) {
    const live = chat.state === "LIVE";
    const offered = chat.transfer?.to_agent;
    put(this.part("who"), title(chat));
    put(this.part("standing"), standing(chat));
    put(this.part("accept"), offered ? `Accept as ${offered}` : "Accept");
    this.part("accept").hidden = chat.state !== "QUEUED";
    this.part("give-back").hidden = !chat.transfer;
    for (const name of ["end", "transfer", "answer"]) this.part(name).hidden = !live;
    this.part("text").setAttribute("aria-label", `Your answer to ${title(chat)}`);
    this.drawFacts(chat);
    this.drawTalk(chat);
    if (this.wantsFocus && live) {
      this.wantsFocus = false;
      this.part("text").focus();
    }
  }

  drawTalk(chat) {
    this.drawHistory(chat);
    const log = this.part("log");
    if (log.children.length === 0) this.hush();
    chat.transcript.forEach((entry, place) => fillLine(log.children[place] ?? log.appendChild(newLine(entry)), entry, chat));
    put(this.part("typing"), chat.requester_typing ? `${title(chat)} is typing…` : "");
    this.follow();
  }

  /** Stay at the end, unless the agent has scrolled away from it. */
  follow() {
    const scroll = this.part("scroll");
    if (this.followsEnd) scroll.scrollTop = scroll.scrollHeight;
  }

  /** What was said before the pane opened is no news to a screen reader. */
  hush() {
    const transcript = this.part("transcript");
    transcript.ariaLive = "off";
    setTimeout(() => { transcript.ariaLive = "polite"; });
  }

  drawHistory(chat) {
    this.part("before").hidden = chat.history.length === 0;
    const list = this.part("history");
    if (list.children.length !== chat.history.length) list.replaceChildren(...chat.history.map(historyLine));
  }

  drawFacts(chat) {
    const facts = { "User id": chat.user_id, "E-mail": chat.email, Queue: chat.queue, Interaction: chat.interaction_id, Conversation: chat.id };
    const rows = Object.entries({ ...facts, ...chat.context }).filter(([, value]) => value !== null);
    const key = JSON.stringify(rows);
    const list = this.part("facts");
    if (list.dataset.key === key) return;
    list.dataset.key = key;
    const text = (value) => (typeof value === "string" ? value : JSON.stringify(value));
    list.replaceChildren(...rows.flatMap(([name, value]) => [element("dt", "", name), element("dd", "", text(value))]));
  }
}
