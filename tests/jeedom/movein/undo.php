<?php

Undo::begin(Former::of($argv[1]), Journal::of($argv[1])); Background::run();
echo json_encode(Journal::of($argv[1])->get('state'));
