<?php

// Removes connections one after the other, as one of several requests: its arguments are the first of their
// ids and the folder of the locks.

use Jeenergie\Daemon\DesiredState;
use Jeenergie\Storage\DataFolder;
use Jeenergie\Storage\Notes;

require_once __DIR__ . '/core.php';
require_once __DIR__ . '/objects.php';
require_once __DIR__ . '/../../../core/class/jeenergie.class.php';

$folder = new ReflectionProperty(DataFolder::class, 'path');
$folder->setAccessible(true);
$folder->setValue(null, $argv[2]);
for ($n = 0; $n < 50; $n++) {
    DesiredState::forget((string) ($argv[1] + $n));
    Notes::add((new jeenergie())->setId('7'), Notes::COMMANDS_KNOWN, ['c' . ($argv[1] + $n)]);
}
