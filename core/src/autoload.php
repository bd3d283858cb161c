<?php

/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

// Jeenergie\<Folder>\<Class> is core/src/<Folder>/<Class>.php. The core finds the plugin's two own classes only.
spl_autoload_register(static function (string $class): void {
    if (preg_match('/^Jeenergie\\\\(\w+)\\\\(\w+)$/D', $class, $names) === 1) {
        $file = __DIR__ . '/' . $names[1] . '/' . $names[2] . '.php';
        if (is_file($file)) {
            require_once $file;
        }
    }
}, true, true);
