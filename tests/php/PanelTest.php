<?php

final class PanelTest extends JeenergieTestCase
{
    private function meter(): jeenergie
    {
        $catalogue = jeenergieCatalogue::of($this->lab());
        foreach (['day', 'month'] as $per) {
            $catalogue['equipment']['meter']['commands'][] = ['logicalId' => $per, 'name' => 'Conso ' . $per,
                'type' => 'info', 'subType' => 'numeric', 'unit' => 'kWh', 'history' => true,
                'panel' => ['kind' => 'consumption', 'per' => $per]];
        }
        $this->useCatalogue($catalogue);
        return $this->equipment($this->connection());
    }

    public function testTheFiguresOfADayAreOffered(): void
    {
        $day = $this->cmd($this->meter(), 'day')->getId();
        [$equipment] = jeenergiePanel::equipment();
        $this->assertSame('Meter 1', $equipment['name']);
        $this->assertSame([[(string) $day, 'consumption', 'day', 'kWh']], array_map(
            fn(array $each): array => [$each['cmd'], $each['kind'], $each['per'], $each['unit']],
            $equipment['series']
        ));
    }

    public function testDaysAreReadFromBothHistories(): void
    {
        $day = $this->cmd($this->meter(), 'day')->getId();
        Memory::$queries = [];
        $found = jeenergiePanel::days(['cmds' => [$day], 'from' => '2026-03-01', 'to' => '2026-03-31']);
        $this->assertSame([(int) $day], array_map('intval', array_keys($found)));
        [$sql, $values] = end(Memory::$queries);
        $this->assertMatchesRegularExpression('/`history` .*`historyArch`/', $sql);
        $this->assertSame(['2026-03-01 00:00:00', '2026-03-31 23:59:59'], [$values['from'], $values['to']]);
    }
}
