<?php

// A user writes something of his own into the texts of interactions, or takes it out again.
foreach (DB::Prepare("SELECT id, reply FROM interactDef WHERE name = 'Reprise'", [], 1) as $row) {
    $reply = $argv[1] === 'add' ? $row['reply'] . ' environ' : str_replace(' environ', '', $row['reply']);
    DB::Prepare('UPDATE interactDef SET reply = :reply WHERE id = :id', ['reply' => $reply, 'id' => $row['id']], 0);
    echo json_encode($row['reply']);
}
