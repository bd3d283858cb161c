<?php

/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

namespace Jeenergie\Pages;

use jeenergie;
use jeenergieCmd;

/**
 * Widgets of commands before their first value: a dash, where the core would show 0 or "off".
 *
 * The core fills in a widget's own parameters after its tags, so that they can name other values for these.
 */
final class UnknownValue
{
    /** Tags by subtype. A number must be one for the widget, which looks at #state# for the text only. */
    private const TAGS = [
        'numeric' => ['state' => '–', 'unite' => '', 'hide_history' => 'hidden'],
        'binary' => ['state' => '–', 'value' => '–', 'hide_history' => 'hidden'],
    ];

    /** The command itself, or a copy that nobody saves, whose widget shows that its value is not known. */
    public static function shownBy(jeenergieCmd $cmd): jeenergieCmd
    {
        $tags = $cmd->getType() === 'info' ? self::TAGS[$cmd->getSubType()] ?? [] : [];
        $own = jeenergie::dictionary($cmd->getDisplay('parameters'));
        if ($tags === [] || array_intersect_key($own, $tags) == $tags || (string) $cmd->execCmd() !== '') {
            return $cmd;
        }
        return (clone $cmd)->setDisplay('parameters', $tags + $own);
    }
}
