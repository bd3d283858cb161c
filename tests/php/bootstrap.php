<?php

// The plugin's classes against a small double of Jeedom's core; what only the core can tell is in tests/jeedom.

error_reporting(E_ALL);
date_default_timezone_set('Europe/Paris');

require_once __DIR__ . '/double/core.php';
require_once __DIR__ . '/double/history.php';
require_once __DIR__ . '/double/messages.php';
require_once __DIR__ . '/double/objects.php';
require_once __DIR__ . '/double/places.php';
require_once __DIR__ . '/double/time.php';
require_once __DIR__ . '/../../core/class/jeenergie.class.php';
require_once __DIR__ . '/JeenergieTestCase.php';
