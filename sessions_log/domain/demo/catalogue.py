"""What a restaurant build consists of: the subjects of its papers."""

# Each with the trade it concerns.
RFIS = (
    ("Grease interceptor invert conflicts with footing F4", "plumbing"),
    ("Hood exhaust duct clearance at gridline C", "mechanical"),
    ("Walk-in cooler slab depression depth", "concrete"),
    ("Suppression pull station location at egress", "fire"),
    ("Turning radius in restroom 104", "framing"),
    ("Gas line sizing for the cook line", "plumbing"),
    ("Floor sink location under dish table", "plumbing"),
    ("Ceiling height at bar soffit", "framing"),
    ("Storefront header dimension", "glazing"),
    ("Make-up air unit curb size", "roofing"),
    ("Rated wall at shared corridor", "framing"),
    ("Bar die wall anchoring", "millwork"),
    ("Conduit routing above walk-in", "electrical"),
    ("Quarry tile slope to drain", "tile"),
    ("Patio heater gas stub-out", "plumbing"),
    ("Structural support for RTU-3", "structural"),
    ("Menu board power and data", "electrical"),
    ("Reach-in condenser discharge direction", "refrigeration"),
    ("Sprinkler head spacing below cloud ceiling", "fire"),
    ("Handsink count at prep area", "kitchen"),
)

# (title, trade, least cents, most cents)
CHANGE_ORDERS = (
    ("Relocate grease interceptor outside footprint", "plumbing", 1_180_000, 2_640_000),
    ("Add second type I hood", "mechanical", 2_310_000, 4_790_000),
    ("Upgrade service to 800 A", "electrical", 1_640_000, 3_320_000),
    ("Owner-requested pizza oven foundation", "concrete", 420_000, 910_000),
    ("Rock excavation at utility trench", "site work", 680_000, 1_950_000),
    ("Replace specified tile, discontinued", "tile", 95_000, 410_000),
    ("Acoustic panels in dining room", "framing", 310_000, 780_000),
    ("Credit: delete vestibule", "glazing", -890_000, -240_000),
    ("Overtime for health inspection date", "kitchen", 140_000, 560_000),
    ("Additional floor drains, line cook area", "plumbing", 180_000, 420_000),
    ("Fire alarm panel upgrade", "fire", 530_000, 1_270_000),
    ("Patio railing to match neighbour", "structural", 260_000, 740_000),
    ("Credit: reuse existing roof curb", "roofing", -310_000, -90_000),
    ("Walk-in freezer floor insulation", "refrigeration", 340_000, 690_000),
)

INSPECTIONS = (
    ("Underground plumbing", "plumbing"),
    ("Footing and foundation", "concrete"),
    ("Rough electrical", "electrical"),
    ("Rough mechanical", "mechanical"),
    ("Gas pressure test", "plumbing"),
    ("Framing", "framing"),
    ("Hood and suppression", "fire"),
    ("Grease interceptor", "plumbing"),
    ("Above-ceiling", "mechanical"),
    ("Health department pre-opening", "kitchen"),
    ("Fire final", "fire"),
    ("Building final", "structural"),
    ("Accessibility", "framing"),
    ("Sign final", "signage"),
)

# (prefix of the number, title)
PERMITS = (
    ("BLD", "Commercial building, tenant improvement"),
    ("MEC", "Mechanical, kitchen exhaust"),
    ("ELE", "Electrical service and distribution"),
    ("PLM", "Plumbing and gas"),
    ("FIR", "Fire suppression"),
    ("HLT", "Food service plan review"),
    ("SGN", "Exterior signage"),
    ("FOG", "Grease interceptor and waste discharge"),
    ("ROW", "Right-of-way use during construction"),
)

DRAWINGS = (
    ("A101", "Floor plan"),
    ("A301", "Reflected ceiling plan"),
    ("A501", "Interior elevations"),
    ("A602", "Bar details"),
    ("S201", "Foundation plan"),
    ("M101", "Mechanical plan"),
    ("M501", "Hood schedules"),
    ("E101", "Power plan"),
    ("E301", "Lighting plan"),
    ("P101", "Plumbing plan"),
    ("P401", "Gas riser"),
    ("K101", "Kitchen equipment plan"),
    ("FP101", "Fire protection plan"),
    ("SG100", "Sign package"),
)

PUNCH_ITEMS = (
    ("Touch up paint at host stand", "framing"),
    ("Replace cracked quarry tile near fryer", "tile"),
    ("Adjust walk-in door sweep", "refrigeration"),
    ("Missing escutcheon at handsink 3", "plumbing"),
    ("Booth upholstery seam open, table 14", "millwork"),
    ("GFCI at prep counter trips", "electrical"),
    ("Hood lamp lens missing", "mechanical"),
    ("Caulk joint at bar top", "millwork"),
    ("Exit sign battery fails test", "electrical"),
    ("Ceiling tile stained above dish", "roofing"),
    ("Door closer slams, restroom 103", "framing"),
    ("Scratched storefront lite, bay 2", "glazing"),
    ("Floor sink grate not flush", "plumbing"),
    ("Thermostat label swapped RTU-1 and RTU-2", "mechanical"),
    ("Grout haze in back corridor", "tile"),
    ("Sprinkler escutcheon loose at bar", "fire"),
    ("Menu board bracket out of level", "signage"),
    ("Cooler racking short two shelves", "kitchen"),
    ("Parking stall striping faded at accessible stall", "site work"),
    ("Trash enclosure gate drags", "structural"),
)

PHASES = ("permitting", "demolition", "rough-in", "finishes", "equipment", "closeout")

WEATHER = ("clear", "clear", "overcast", "light rain", "windy", "fog until 9", "dry, 41 F", "sleet")

MATERIALS = (
    "60 bags thinset",
    "type L copper, 1 in, 240 ft",
    "4 pallets quarry tile",
    "exhaust duct sections 3 to 7",
    "walk-in panels, 22 pieces",
    "bar top slab",
    "conduit and boxes",
    "RTU-2 on flatbed",
    "two-compartment sink",
    "steel studs, 12 ft",
    "glass lites for bay 1",
    "gypsum, 88 sheets",
)
