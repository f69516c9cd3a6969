"use strict";
/** The program of a run; what it does was decided when its grant was taken. */
process[Symbol.for("nightshift.start")]();
