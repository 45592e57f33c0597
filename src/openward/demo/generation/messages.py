"""Messages between patients and the practice: some answered, a few of the last days waiting in an inbox."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from openward.demo.generation.chance import task_id
from openward.demo.generation.parts import Json, instant, tag, to

if TYPE_CHECKING:
    from openward.demo.generation.chart import Chart

TALK = (
    ("Refill", "Hello, I have about a week of my tablets left. Could you send a refill to my pharmacy? Thank you.", "It is on its way to your pharmacy and will be ready tomorrow."),
    ("Lab question", "I saw my results in the portal. One number is marked high. Is that something to worry about?", "It is close to your earlier values. We keep to the plan and check again at your next visit."),
    ("Appointment", "Do I need to fast before the blood test next week?", "Yes please: nothing but water for eight hours before."),
    ("Side effect", "Since the new medicine I feel a little dizzy when I stand up. Should I keep taking it?", "Please keep taking it, stand up slowly and check your blood pressure at home. Come in if it does not settle this week."),
    ("Form", "My employer asks for a note about my visit. Can I get one?", "The letter is ready for you at the front desk."),
)  # fmt: skip
CHILD_TALK = (
    ("School form", "The school needs the immunization record. Can you send it?", "You can print it from the portal under Immunizations."),
    ("Fever", "The fever is gone since yesterday. Can we go back to day care?", "Yes: a full day without fever is enough."),
)


def write(chart: Chart) -> None:
    person = chart.person
    if person.died or not chart.visits or not chart.chance.happens(0.16):
        return
    waits = chart.chance.happens(0.22)
    topic, asked, answered = chart.chance.choice(CHILD_TALK if person.age_on(chart.today) < 18 else TALK)
    back = dt.timedelta(hours=chart.chance.randint(2, 50)) if waits else dt.timedelta(days=chart.chance.randint(3, 150))
    at = chart.clock - back
    if at.date() <= person.joined:
        return
    doctor = chart.house.ref("practitioner", person.doctor.key)
    question = _communication(chart, topic, asked, at, chart.patient, doctor, waits=waits)
    _task(chart, question, topic, at, doctor, waits=waits)
    if not waits:
        answer = _communication(chart, topic, answered, at + dt.timedelta(hours=chart.chance.randint(1, 20)), doctor, chart.patient, waits=False)
        answer |= {"partOf": [to(question)], "inResponseTo": [to(question)]}


def _communication(chart: Chart, topic: str, words: str, at: dt.datetime, sender: Json, recipient: Json, *, waits: bool) -> Json:
    return chart.add(
        "Communication",
        status="completed",
        category=[{"text": "Message"}],
        subject=chart.patient,
        topic={"text": topic},
        sent=instant(at),
        received=None if waits else instant(at + dt.timedelta(minutes=1)),
        recipient=[recipient],
        sender=sender,
        payload=[{"contentString": words}],
    )


def _task(chart: Chart, question: Json, topic: str, at: dt.datetime, doctor: Json, *, waits: bool) -> None:
    chart.add(
        "Task",
        id=task_id("answer-message", question["id"]),
        status="requested" if waits else "completed",
        intent="order",
        priority="routine",
        code={"coding": [tag("task", "answer-message")], "text": "Answer message"},
        description=topic,
        focus=to(question),
        **{"for": chart.patient},
        authoredOn=instant(at),
        lastModified=instant(at),
        requester=chart.patient,
        owner=doctor,
    )
