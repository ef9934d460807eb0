"""Webhooks: the events of a user's uploads, sent to URLs of the user.

    outbox.py     writes a delivery for each event and webhook, in the transaction of the event
    sender.py     sends the deliveries that are due, signs them, and repeats those that fail
    delivery.py   the database rows of the sender: claim, result, and the schedule of the attempts
    commands.py   what users do: add, change, remove and test webhooks, and look at deliveries
    serializers.py  webhooks and deliveries as their owner sees them

A delivery is sent at least once, at a time that is not fixed, and in the order of the events unless an
attempt fails. `webhook-id` stays the same in each attempt, so a receiver can drop repetitions. See
https://www.standardwebhooks.com and docs/decisions/0156-webhooks.md.
"""
