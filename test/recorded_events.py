# Copyright 2026 the snn_perception developers
#
# Licensed under the Apache License, Version 2.0 (the "License");
# you may not use this file except in compliance with the License.
# You may obtain a copy of the License at
#
#     http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS,
# WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
# See the License for the specific language governing permissions and
# limitations under the License.

"""Files of event cameras, made here: an .aedat4 file needs more than a line."""

import struct

import flatbuffers

STREAMS = """<dv version="2.0"><node name="outInfo" path="/mainloop/Recorder/outInfo/">
<node name="0" path="/mainloop/Recorder/outInfo/0/">
<attr key="compression" type="string">NONE</attr>
<attr key="originalModuleName" type="string">camera</attr>
<attr key="originalOutputName" type="string">events</attr>
<attr key="typeDescription" type="string">Array of events (polarity ON/OFF).</attr>
<attr key="typeIdentifier" type="string">EVTS</attr>
<node name="info" path="/mainloop/Recorder/outInfo/0/info/">
<attr key="sizeX" type="int">{}</attr><attr key="sizeY" type="int">{}</attr>
<attr key="source" type="string">camera</attr></node></node></node></dv>"""


def aedat4(*parts):
    """The bytes of an .aedat4 file with the events of `parts`, a packet each."""
    header = flatbuffers.Builder()
    streams = header.CreateString(STREAMS.format(parts[0].width, parts[0].height))
    header.StartObject(3)
    header.PrependInt32Slot(0, 0, -1)  # not compressed
    header.PrependInt64Slot(1, -1, 0)  # no table of contents
    header.PrependUOffsetTRelativeSlot(2, streams, 0)
    header.FinishSizePrefixed(header.EndObject(), b'IOHE')
    packets = [_packet(events) for events in parts]
    content = b''.join(struct.pack('<ii', 0, len(packet)) + packet for packet in packets)
    return b'#!AER-DAT4.0\r\n' + bytes(header.Output()) + content


def _packet(events):
    packet = flatbuffers.Builder()
    packet.StartVector(16, len(events), 8)
    for index in reversed(range(len(events))):
        packet.Prep(8, 16)
        packet.Pad(3)
        packet.PrependBool(bool(events.polarity[index]))
        packet.PrependInt16(int(events.y[index]))
        packet.PrependInt16(int(events.x[index]))
        packet.PrependInt64(int(events.t[index]))
    elements = packet.EndVector()
    packet.StartObject(1)
    packet.PrependUOffsetTRelativeSlot(0, elements, 0)
    packet.FinishSizePrefixed(packet.EndObject(), b'EVTS')
    return bytes(packet.Output())
