"""An engine in a child process: the parent limits its time and memory, and replaces it.

The parent and the child exchange the messages of `ipc.py`. `backend_main.sandbox` confines the child. Modules
here may import all of `reading`.

engine_pool.py     parent: the engines of one reader, each in its process
engine_process.py  parent: one engine in a child process; limits, recycling, cancelling
child.py           parent: handle of the child: spawn, send, receive, measure, kill
child_policy.py    parent: what the child may do
child_log.py       parent: what the child prints, within limits
process_usage.py   parent: memory and processor time of the child
page_budget.py     parent: time, memory and bytes of a page
ipc.py             both: messages and their encoding
batching.py        child: sends lines in batches
main.py            child: entry point; receives requests, sends events
"""
