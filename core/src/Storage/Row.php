<?php

/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

namespace Jeenergie\Storage;

use DB;

/**
 * Updates single columns, and single keys of the column "configuration", in one statement.
 *
 * The core's save() writes a whole row as it was read earlier. Where no user has asked for a save (incoming values,
 * background tasks, an update of the plugin), that would undo what a user has saved meanwhile.
 */
final class Row
{
    /**
     * @param string $table "cmd" or "eqLogic"
     * @param array $columns {column: value}
     * @param array $configuration {key: number or text}; "config.host" is the key "host" of the object "config"
     */
    public static function update(string $table, $id, array $columns, array $configuration = []): void
    {
        $set = [];
        $values = ['id' => (int) $id];
        foreach ($columns as $column => $value) {
            $set[] = '`' . $column . '` = :' . $column;
            $values[$column] = $value;
        }
        if ($configuration !== []) {
            $paths = '';
            foreach (array_keys($configuration) as $n => $key) {
                $paths .= ', :path' . $n . ', :value' . $n;
                $values['path' . $n] = '$."' . str_replace('.', '"."', $key) . '"';
                $values['value' . $n] = $configuration[$key];
            }
            // The core stores an empty configuration as a list, to which no key can be added.
            $isObject = 'JSON_VALID(`configuration`) AND JSON_TYPE(`configuration`) = \'OBJECT\'';
            $set[] = '`configuration` = JSON_SET(IF(' . $isObject . ', `configuration`, \'{}\')' . $paths . ')';
        }
        if ($set !== []) {
            $query = 'UPDATE `' . $table . '` SET ' . implode(', ', $set) . ' WHERE `id` = :id';
            DB::Prepare($query, $values, DB::FETCH_TYPE_ROW);
        }
    }
}
