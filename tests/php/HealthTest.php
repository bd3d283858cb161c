<?php

use Jeenergie\Pages\Health;

final class HealthTest extends JeenergieTestCase
{
    /** The row of a connection on the core's health page, with a daemon that tells this of it. */
    private function row($oldest): string
    {
        $connection = jeenergie::byId(1);
        $method = new ReflectionMethod(Health::class, 'oldest');
        $method->setAccessible(true);
        $found = $method->invoke(null, ['connections' => ['1' => ['state' => 'online', 'oldest' => $oldest]]], $connection);
        $method = new ReflectionMethod(Health::class, 'connectionRow');
        $method->setAccessible(true);
        return html_entity_decode($method->invoke(null, $connection, $found)['result'], ENT_QUOTES);
    }

    /** @dataProvider ages */
    public function testTheAgeOfTheOldestDatumIsToldInWords(int $seconds, string $words): void
    {
        $meter = $this->equipment($this->connection());
        $at = gmdate('Y-m-d\TH:i:s', time() - $seconds) . '+00:00';
        $row = $this->row(['equipment' => (string) $meter->getId(), 'at' => $at]);
        $this->assertSame('Aucune réponse<br>Donnée la plus ancienne : ' . $words . ' (Meter 1)', $row);
    }

    public static function ages(): array
    {
        return [
            'now' => [1, 'à l\'instant'],
            'seconds' => [42, "il y a 42\u{a0}s"],
            'minutes' => [12 * 60 + 20, "il y a 12\u{a0}min"],
            'hours' => [47 * 3600 + 5, "il y a 47\u{a0}h"],
            'days' => [49 * 3600, "il y a 2\u{a0}j"],
            'by a clock that is ahead' => [-30, 'à l\'instant'],
        ];
    }

    public function testADaemonThatIsStoppedIsOneErrorAndSaysWhatFollows(): void
    {
        $this->connection();
        $rows = Health::rows();
        $this->assertCount(1, $rows);
        $this->assertFalse($rows[0]['state']);
        $this->assertNotSame('', $rows[0]['result']);
    }

    public function testWhatIsNotKnownIsNotTold(): void
    {
        $this->connection();
        foreach ([null, [], ['equipment' => '77', 'at' => date('c')], ['at' => date('c')]] as $oldest) {
            $this->assertSame('Aucune réponse', $this->row($oldest));
        }
    }

    public function testAPageGetsItWithItsNameAndAnEscapedOneIsOnTheHealthPage(): void
    {
        $meter = $this->equipment($this->connection());
        $told = ['equipment' => (string) $meter->getId(), 'at' => date('c', time() - 60)];
        $all = Health::oldestOfAll(['connections' => ['1' => ['oldest' => $told]]]);
        $this->assertSame(['1' => ['name' => 'Meter 1', 'at' => date('Y-m-d H:i:s', time() - 60)]], [
            '1' => array_intersect_key($all['1'], ['name' => 0, 'at' => 0]),
        ]);
        $this->assertSame([], Health::oldestOfAll(['connections' => []]));
    }
}
