<?php

/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

/**
 * What the energy panel shows: the commands that the catalogue says are figures of energy, and their days.
 *
 * A row of the catalogue names itself by "panel"; a counter of energy is recognised by its generic type. Months, years
 * and comparisons are made of days in the browser.
 */
final class jeenergiePanel
{
    private const COUNTERS = ['CONSUMPTION' => 'consumption', 'PRODUCTION' => 'production'];
    private const SCALES = ['Wh' => 0.001, 'kWh' => 1.0, 'MWh' => 1000.0];

    /** @return array[] [{id, name, object, series: [{cmd, name, kind, per, part, color, unit}]}] that the user may see */
    public static function equipment(): array
    {
        $found = [];
        foreach (eqLogic::byType('jeenergie', true) as $eqLogic) {
            if ($eqLogic->isConnection() || !$eqLogic->hasRight('r')) {
                continue;
            }
            $series = self::series($eqLogic);
            if ($series !== []) {
                $object = $eqLogic->getObject();
                $found[] = [
                    'id' => (string) $eqLogic->getId(),
                    'name' => $eqLogic->getName(),
                    'object' => is_object($object) ? $object->getName() : '',
                    'series' => $series,
                ];
            }
        }
        return $found;
    }

    /** @return array[] the figures of an equipment that have a history, by day or as a counter */
    private static function series(jeenergie $eqLogic): array
    {
        $rows = [];
        foreach (jeenergieCatalogue::rows($eqLogic->backend(), $eqLogic->type()) as $row) {
            $rows[$row['logicalId']] = $row;
        }
        $series = [];
        foreach ($eqLogic->getCmd('info') as $cmd) {
            $hint = self::hint($rows[$cmd->getLogicalId()] ?? [], $cmd);
            if ($hint !== null && $cmd->getIsHistorized() == 1 && in_array($hint['per'], ['day', 'counter'], true)) {
                $series[] = $hint + [
                    'cmd' => (string) $cmd->getId(),
                    'name' => $cmd->getName(),
                    'part' => '',
                    'color' => '',
                    'unit' => $hint['per'] === 'counter' ? 'kWh' : $cmd->getUnite(),
                ];
            }
        }
        return $series;
    }

    /** What the catalogue says of a command, or its generic type: null for what is no figure of energy. */
    private static function hint(array $row, cmd $cmd): ?array
    {
        if (isset($row['panel'])) {
            return $row['panel'];
        }
        $kind = self::COUNTERS[$cmd->getGeneric_type()] ?? null;
        $counts = ($row['historizeMode'] ?? '') === 'max' && isset(self::SCALES[$cmd->getUnite()]);
        return $kind !== null && $counts ? ['kind' => $kind, 'per' => 'counter'] : null;
    }

    /**
     * The days of some commands.
     *
     * @param array $request {cmds: [ids], from, to: "YYYY-MM-DD"}
     * @return array {<cmd id>: {<YYYY-MM-DD>: number}}
     */
    public static function days(array $request): array
    {
        $from = self::day($request['from'] ?? '');
        $to = self::day($request['to'] ?? '');
        $wanted = array_map('strval', (array) ($request['cmds'] ?? []));
        $days = [];
        foreach (self::equipment() as $equipment) {
            foreach ($equipment['series'] as $each) {
                if (in_array($each['cmd'], $wanted, true)) {
                    $days[$each['cmd']] = $each['per'] === 'counter'
                        ? self::counted((int) $each['cmd'], $from, $to)
                        : self::dated((int) $each['cmd'], $from, $to);
                }
            }
        }
        return $days;
    }

    private static function day($text): string
    {
        if (!is_string($text) || !preg_match('/^\d{4}-\d\d-\d\d$/D', $text)) {
            throw new Exception(__('Cette date n\'est pas comprise.', __FILE__));
        }
        return $text;
    }

    /** A figure that stands at the date of its day. */
    private static function dated(int $cmd, string $from, string $to): object
    {
        $days = [];
        foreach (self::rows('MAX(`value` + 0)', $cmd, $from, $to) as $row) {
            $days[$row['day']] = (float) $row['value'];
        }
        return (object) $days;
    }

    /** What a counter has grown by each day, in kWh; nothing for a day after a gap or a reset. */
    private static function counted(int $cmd, string $from, string $to): object
    {
        $unit = cmd::byId($cmd)->getUnite();
        $before = date('Y-m-d', strtotime($from . ' -1 day'));
        $days = [];
        $last = null;
        foreach (self::rows('MAX(`value` + 0)', $cmd, $before, $to) as $row) {
            $value = (float) $row['value'];
            $next = $last === null ? '' : date('Y-m-d', strtotime($last['day'] . ' +1 day'));
            if ($row['day'] === $next && $value >= $last['value'] && $row['day'] >= $from) {
                $days[$row['day']] = round(($value - $last['value']) * self::SCALES[$unit], 3);
            }
            $last = ['day' => $row['day'], 'value' => $value];
        }
        return (object) $days;
    }

    /** One row a day out of both tables of the core, which hold the recent and the older history. */
    private static function rows(string $figure, int $cmd, string $from, string $to): array
    {
        $part = 'SELECT `datetime`, `value` FROM `%s` WHERE `cmd_id` = :cmd AND `datetime` BETWEEN :from AND :to';
        $sql = 'SELECT DATE(`datetime`) AS `day`, ' . $figure . ' AS `value` FROM ('
            . sprintf($part, 'history') . ' UNION ALL ' . sprintf($part, 'historyArch')
            . ') AS `points` GROUP BY DATE(`datetime`) ORDER BY `day`';
        $values = ['cmd' => $cmd, 'from' => $from . ' 00:00:00', 'to' => $to . ' 23:59:59'];
        return DB::Prepare($sql, $values, DB::FETCH_TYPE_ALL);
    }

    /** The tile of an equipment, as on the dashboard. */
    public static function tile(array $request): array
    {
        $eqLogic = eqLogic::byId((int) ($request['id'] ?? 0));
        if (!is_object($eqLogic) || $eqLogic->getEqType_name() !== 'jeenergie' || !$eqLogic->hasRight('r')) {
            throw new Exception(__('Cet équipement n\'existe pas ou ne vous est pas ouvert.', __FILE__));
        }
        return ['html' => $eqLogic->toHtml('dashboard')];
    }
}
