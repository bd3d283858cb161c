<?php

/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

namespace Jeenergie\MoveIn;

use DB;

/**
 * Every place in Jeedom's database that names a command or an equipment: scenarios, designs, views, interactions, objects,
 * other plugins, rights of users.
 */
final class References
{
    /** Columns with expressions or settings in JSON, by table; a key besides "id" is in front. */
    private const TEXTS = [
        'scenario' => ['trigger', 'configuration', 'schedule'],
        'scenarioElement' => ['options'],
        'scenarioSubElement' => ['options'],
        'scenarioExpression' => ['expression', 'options'],
        'planHeader' => ['configuration'],
        'plan' => ['configuration', 'display', 'css'],
        'plan3dHeader' => ['configuration'],
        'plan3d' => ['configuration', 'display', 'css'],
        'view' => ['configuration', 'display'],
        'viewZone' => ['configuration'],
        'viewData' => ['configuration'],
        'interactDef' => ['query', 'reply', 'actions', 'options', 'filtres'],
        'interactQuery' => ['query', 'actions'],
        'object' => ['configuration', 'display'],
        'eqLogic' => ['configuration', 'display'],
        'cmd' => ['configuration', 'display', 'alert', 'value'],
        'listener' => ['event', 'option'],
        'dataStore' => ['value'],
        'user' => ['options', 'rights'],
        'config' => ['value'],
    ];

    /** Columns with one id, by table: [column, column of what it is]. */
    private const LINKS = [
        'plan' => ['link_id', 'link_type'], 'plan3d' => ['link_id', 'link_type'], 'viewData' => ['link_id', 'type'],
    ];

    /** What a user calls the owner of such a row; the others are named after their table. */
    private const KINDS = [
        'scenario' => 'scenario', 'scenarioElement' => 'scenario', 'scenarioSubElement' => 'scenario',
        'scenarioExpression' => 'scenario', 'planHeader' => 'design', 'plan' => 'design', 'plan3dHeader' => 'design',
        'plan3d' => 'design', 'view' => 'view', 'viewZone' => 'view', 'viewData' => 'view', 'interactDef' => 'interaction',
        'interactQuery' => 'interaction', 'object' => 'object', 'eqLogic' => 'plugin', 'cmd' => 'plugin',
        'listener' => 'plugin', 'dataStore' => 'variable', 'user' => 'user', 'config' => 'setting',
    ];

    /** @var Tokens */
    private $tokens;

    /** @var string of rows that belong to this plugin and are left alone */
    private $owner;

    /** @var array[] {column: most characters}, by table */
    private static $room = [];

    public function __construct(Tokens $tokens, string $owner)
    {
        $this->tokens = $tokens;
        $this->owner = $owner;
    }

    /** @return array[] {table, id, column, before, after}, of rows that name something that has a new id */
    public function changes(): array
    {
        $changes = [];
        foreach (self::TEXTS as $table => $columns) {
            foreach ($this->rows($table, $columns) as $row) {
                foreach ($columns as $column) {
                    $before = (string) $row[$column];
                    $after = $this->tokens->replacedIn($before);
                    if ($after !== $before) {
                        $changes[] = self::change($table, $row['id'], $column, $before, $after);
                    }
                }
            }
        }
        foreach (self::LINKS as $table => [$column, $type]) {
            $query = 'SELECT `id`, `' . $column . '` AS link, `' . $type . '` AS kind FROM `' . $table . '`';
            foreach (DB::Prepare($query, [], DB::FETCH_TYPE_ALL) as $row) {
                $after = $this->tokens->replacedLink((string) $row['kind'], (string) $row['link']);
                if ($after !== (string) $row['link']) {
                    $changes[] = self::change($table, $row['id'], $column, (string) $row['link'], $after);
                }
            }
        }
        return $changes;
    }

    /** Makes a change; false if the column holds something else by now. Making it twice does no harm. */
    public static function apply(array $change): bool
    {
        $current = self::current($change);
        if ($current === null || $current !== $change['before']) {
            return $current === $change['after'];
        }
        $id = $change['table'] === 'config' ? self::configKey($change['id']) : ['id' => (int) $change['id']];
        $where = implode(' AND ', array_map(fn(string $key): string => '`' . $key . '` = :' . $key, array_keys($id)));
        $query = 'UPDATE `' . $change['table'] . '` SET `' . $change['column'] . '` = :after WHERE ' . $where
            . ' AND `' . $change['column'] . '` = :before';
        DB::Prepare($query, $id + ['after' => $change['after'], 'before' => $change['before']], DB::FETCH_TYPE_ROW);
        return self::current($change) === $change['after'];
    }

    public static function reversed(array $change): array
    {
        return ['before' => $change['after'], 'after' => $change['before']] + $change;
    }

    /** Id of the equipment of a changed command; null if it is gone. */
    public static function ownerOf(array $change): ?string
    {
        $query = 'SELECT `eqLogic_id` AS owner FROM `cmd` WHERE `id` = :id';
        $row = DB::Prepare($query, ['id' => (int) $change['id']], DB::FETCH_TYPE_ROW);
        return isset($row['owner']) ? (string) $row['owner'] : null;
    }

    /** True if the column has room for the text; the database would cut it, or refuse it. */
    public static function fits(array $change): bool
    {
        if (!isset(self::$room[$change['table']])) {
            $rows = DB::Prepare(
                'SELECT `COLUMN_NAME` AS name, `CHARACTER_MAXIMUM_LENGTH` AS room FROM `information_schema`.`COLUMNS`
                WHERE `TABLE_SCHEMA` = DATABASE() AND `TABLE_NAME` = :table',
                ['table' => $change['table']],
                DB::FETCH_TYPE_ALL
            );
            self::$room[$change['table']] = array_column($rows, 'room', 'name');
        }
        $room = self::$room[$change['table']][$change['column']] ?? null;
        return $room === null || mb_strlen($change['after']) <= (int) $room;
    }

    /** @return array {kind, name}: what a user knows the changed row as */
    public static function place(array $change): array
    {
        $kind = self::KINDS[$change['table']];
        $id = (int) $change['id'];
        $queries = [
            'scenarioExpression' => 'SELECT s.`name` FROM `scenarioExpression` x
                JOIN `scenarioSubElement` u ON u.`id` = x.`scenarioSubElement_id`
                JOIN `scenario` s ON s.`scenarioElement` LIKE CONCAT(\'%"\', u.`scenarioElement_id`, \'"%\') WHERE x.`id` = :id',
            'plan' => 'SELECT h.`name` FROM `plan` x JOIN `planHeader` h ON h.`id` = x.`planHeader_id` WHERE x.`id` = :id',
            'plan3d' => 'SELECT h.`name` FROM `plan3d` x JOIN `plan3dHeader` h ON h.`id` = x.`plan3dHeader_id`
                WHERE x.`id` = :id',
            'viewZone' => 'SELECT v.`name` FROM `viewZone` x JOIN `view` v ON v.`id` = x.`view_id` WHERE x.`id` = :id',
            'viewData' => 'SELECT v.`name` FROM `viewData` x JOIN `viewZone` z ON z.`id` = x.`viewZone_id`
                JOIN `view` v ON v.`id` = z.`view_id` WHERE x.`id` = :id',
            'cmd' => 'SELECT CONCAT(e.`name`, \' : \', x.`name`) AS name FROM `cmd` x
                JOIN `eqLogic` e ON e.`id` = x.`eqLogic_id` WHERE x.`id` = :id',
            'user' => 'SELECT `login` AS name FROM `user` WHERE `id` = :id',
            'dataStore' => 'SELECT `key` AS name FROM `dataStore` WHERE `id` = :id',
            'listener' => 'SELECT `class` AS name FROM `listener` WHERE `id` = :id',
            'interactQuery' => 'SELECT d.`name` FROM `interactQuery` x JOIN `interactDef` d ON d.`id` = x.`interactDef_id`
                WHERE x.`id` = :id',
        ];
        if ($change['table'] === 'config') {
            return ['kind' => $kind, 'name' => (string) $change['id']];
        }
        $plain = in_array($change['table'], ['scenarioElement', 'scenarioSubElement'], true) ? null
            : 'SELECT `name` FROM `' . $change['table'] . '` WHERE `id` = :id';
        $query = $queries[$change['table']] ?? $plain;
        $row = $query === null ? [] : DB::Prepare($query, ['id' => $id], DB::FETCH_TYPE_ROW);
        return ['kind' => $kind, 'name' => (string) ($row['name'] ?? '')];
    }

    /** Only rows that may name something, and none of those that belong to the former plugin or are its own links. */
    private function rows(string $table, array $columns): array
    {
        $where = implode(' OR ', array_map(
            fn(string $column): string => '`' . $column . "` REGEXP '#|eqLogic|cmd'",
            $columns
        ));
        $id = '`id`';
        $values = [];
        if ($table === 'config') {
            // "plugin::key" stands for the two columns of its key.
            $id = "CONCAT(`plugin`, '::', `key`) AS id";
            $where = '(' . $where . ") AND `plugin` NOT IN (:owner, 'jeenergie')";
            $values = ['owner' => $this->owner];
        } elseif (in_array($table, ['eqLogic', 'cmd', 'listener'], true)) {
            $owner = ['eqLogic' => 'eqType_name', 'cmd' => 'eqType', 'listener' => 'class'][$table];
            $where = '(' . $where . ') AND `' . $owner . '` != :owner';
            $values = ['owner' => $this->owner];
        }
        $query = 'SELECT ' . $id . ', `' . implode('`, `', $columns) . '` FROM `' . $table . '` WHERE ' . $where;
        return DB::Prepare($query, $values, DB::FETCH_TYPE_ALL);
    }

    private static function current(array $change): ?string
    {
        $id = $change['table'] === 'config' ? self::configKey($change['id']) : ['id' => (int) $change['id']];
        $where = implode(' AND ', array_map(fn(string $key): string => '`' . $key . '` = :' . $key, array_keys($id)));
        $query = 'SELECT `' . $change['column'] . '` AS text FROM `' . $change['table'] . '` WHERE ' . $where;
        $row = DB::Prepare($query, $id, DB::FETCH_TYPE_ROW);
        return is_array($row) && array_key_exists('text', $row) ? (string) $row['text'] : null;
    }

    /** @return string[] {plugin, key} */
    private static function configKey(string $id): array
    {
        return array_combine(['plugin', 'key'], explode('::', $id, 2));
    }

    private static function change(string $table, $id, string $column, string $before, string $after): array
    {
        return ['table' => $table, 'id' => (string) $id, 'column' => $column, 'before' => $before, 'after' => $after];
    }
}
