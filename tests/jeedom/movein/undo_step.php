<?php

// One step of an undoing, and no other.
[$former, $journal] = [Former::of($argv[1]), Journal::of($argv[1])];
Undo::begin($former, $journal);
$journal->note(['undone' => array_values(array_diff(['disable', 'points', 'references', 'remove', 'former'], [$argv[2]]))]);
(new Undo($former, $journal))->run();
