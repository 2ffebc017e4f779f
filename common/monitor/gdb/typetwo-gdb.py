# gdb's commands for guests: `source` this file in gdb; docs/debugging.md tells the rest. It knows
# where the build folder has the images with symbols, and how the guest kernel keeps its lists.
import os

import gdb

TOP = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))


class Attach(gdb.Command):
    """typetwo-attach SOCKET baseline|extended [BUILD-FOLDER]
    Takes a guest that `typetwo exec --debug SOCKET` holds ready, before its first instruction."""

    def __init__(self):
        super().__init__("typetwo-attach", gdb.COMMAND_RUNNING)

    def invoke(self, argument, from_tty):
        words = gdb.string_to_argv(argument)
        if len(words) not in (2, 3) or words[1] not in ("baseline", "extended"):
            raise gdb.GdbError("usage: typetwo-attach SOCKET baseline|extended [BUILD-FOLDER]")
        socket, vmm = words[:2]
        build = words[2] if len(words) == 3 else os.path.join(TOP, "build")
        # A stub on a busy host may be slow; gdb's two seconds would have it ask again.
        for setting in ("confirm off", "pagination off", "osabi none", "architecture i386:x86-64",
                        "remotetimeout 30"):
            gdb.execute("set " + setting)
        gdb.execute(f"symbol-file {build}/common/guest/guest-kernel.elf")
        gdb.execute(f"add-symbol-file {build}/{vmm}-vmm/{vmm}-resident.elf")
        gdb.execute(f"target remote {socket}")


def items(list_value, item_type, member):
    """The items of a guest::List through `member`."""
    node_type = gdb.lookup_type("guest::ListNode")
    offset = next(field.bitpos // 8 for field in item_type.fields() if field.name == member)
    head = list_value["head_"].address
    node = head.dereference()["next"]
    while node != head:
        yield gdb.Value(int(node) - offset).cast(item_type.pointer()).dereference()
        node = node.cast(node_type.pointer()).dereference()["next"]


class Processes(gdb.Command):
    """guest-processes
    The guest kernel's process table: pid, parent, group, state, name; `*` marks the current one."""

    def __init__(self):
        super().__init__("guest-processes", gdb.COMMAND_STATUS)

    def invoke(self, argument, from_tty):
        kind = gdb.lookup_type("guest::Process")
        thread_pointer = gdb.lookup_type("guest::Thread").pointer()
        current = gdb.parse_and_eval("guest::scheduler.current_").cast(thread_pointer)
        print("    pid  parent   group  state    name")
        for process in items(gdb.parse_and_eval("guest::processes.all_"), kind, "table_node"):
            thread, parent = process["leader"], process["parent"]
            ended = str(process["state"]).endswith("zombie")
            name = "(ended)" if ended else thread.dereference()["name"].string()
            state = str(process["state"]).rsplit("::", 1)[-1]
            mark = "*" if current and current["process"].address == process.address else " "
            parent_pid = int(parent.dereference()["pid"]) if parent else 0
            print(f"{mark} {int(process['pid']):5} {parent_pid:7} {int(process['group']):7}  "
                  f"{state:8} {name}")


Attach()
Processes()
