<?php

/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

namespace Jeenergie\Storage;

use config;
use jeenergie;

/**
 * What the plugin itself remembers of an eqLogic, apart from its row.
 *
 * The core writes a row whole. A note in it would be lost when a page that was loaded before is saved, and whoever
 * writes a note would undo what the user has saved meanwhile. Each note is a set of texts, stored under a key of its
 * own among the plugin's configuration, and only ever added to under a lock.
 */
final class Notes
{
    /** LogicalIds of the commands once created, so that one deleted by the user stays deleted. */
    public const COMMANDS_KNOWN = 'commandsKnown';

    /** Not empty once the equipment of a connection has been looked for after its first save. */
    public const DISCOVERED = 'discovered';

    /** @return string[] */
    public static function of(jeenergie $eqLogic, string $note): array
    {
        return array_values(array_unique(array_merge(self::stored($eqLogic, $note), self::former($eqLogic, $note))));
    }

    /** @param string[] $values */
    public static function add(jeenergie $eqLogic, string $note, array $values): void
    {
        Lock::during('notes', static function () use ($eqLogic, $note, $values): void {
            $stored = self::stored($eqLogic, $note);
            $all = array_values(array_unique(array_merge($stored, array_map('strval', $values))));
            if (count($all) > count($stored)) {
                config::save(self::key($eqLogic->getId(), $note), $all, 'jeenergie');
            }
        });
    }

    /** Takes over what earlier versions kept in the row, which the user is about to save. */
    public static function takeOver(jeenergie $eqLogic): void
    {
        foreach ([self::COMMANDS_KNOWN, self::DISCOVERED] as $note) {
            $former = self::former($eqLogic, $note);
            if ($former !== []) {
                self::add($eqLogic, $note, $former);
            }
            $eqLogic->setConfiguration($note, null);
        }
    }

    /** The eqLogic is gone. */
    public static function remove(string $id): void
    {
        foreach ([self::COMMANDS_KNOWN, self::DISCOVERED] as $note) {
            config::remove(self::key($id, $note), 'jeenergie');
        }
    }

    /** @return string[] read anew: another request may have added to it since this one began */
    private static function stored(jeenergie $eqLogic, string $note): array
    {
        return jeenergie::dictionary(config::byKey(self::key($eqLogic->getId(), $note), 'jeenergie', '', true));
    }

    /** @return string[] what earlier versions kept in the row: a list, or 1 */
    private static function former(jeenergie $eqLogic, string $note): array
    {
        return array_map('strval', array_filter((array) $eqLogic->getConfiguration($note, [])));
    }

    private static function key($id, string $note): string
    {
        return $note . '::' . $id;
    }
}
