"""The firms that build the demo's restaurants."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Vendor:
    id: str
    name: str
    trade: str
    domain: str
    rating: int


VENDORS = (
    Vendor("V-0417", "Brasswick Mechanical", "mechanical", "brasswick-mechanical.example", 88),
    Vendor("V-0233", "Quillmark Electric", "electrical", "quillmark-electric.example", 93),
    Vendor("V-0508", "Saltmarsh Plumbing Co.", "plumbing", "saltmarsh-plumbing.example", 81),
    Vendor("V-0391", "Ocotillo Concrete", "concrete", "ocotillo-concrete.example", 77),
    Vendor("V-0126", "Wray & Sons Tile", "tile", "wray-and-sons-tile.example", 90),
    Vendor("V-0644", "Northlight Glazing", "glazing", "northlight-glazing.example", 85),
    Vendor("V-0702", "Five Points Fire Protection", "fire", "five-points-fire.example", 95),
    Vendor("V-0355", "Copperline Refrigeration", "refrigeration", "copperline-refrigeration.example", 83),
    Vendor("V-0579", "Tallgrass Millwork", "millwork", "tallgrass-millwork.example", 79),
    Vendor("V-0288", "Ironvale Steel Erectors", "structural", "ironvale-steel.example", 86),
    Vendor("V-0615", "Kestrel Kitchen Supply", "kitchen", "kestrel-kitchen.example", 91),
    Vendor("V-0440", "Palisade Drywall", "framing", "palisade-drywall.example", 74),
    Vendor("V-0667", "Marlowe Sign Works", "signage", "marlowe-signs.example", 88),
    Vendor("V-0731", "Greywater Interceptors", "plumbing", "greywater-interceptors.example", 82),
    Vendor("V-0199", "Hollin Roofing", "roofing", "hollin-roofing.example", 80),
    Vendor("V-0752", "Bluebonnet Landscape", "site work", "bluebonnet-landscape.example", 84),
)

VENDOR_OF = {vendor.id: vendor for vendor in VENDORS}
